"""Check the values of a packed record that are neither its spec nor its scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from bench.core.printable import quoted
from bench.trials.store import LAST_WEIGHTS, PREDICTIONS, WEIGHTS

if TYPE_CHECKING:
    from bench.trials.records import Record
    from bench.trials.specs import Kind, Task

_MAX_TEXT = 2000
_MARKUP = {*"<>|`"}
"""Characters that would be markup on the page of a board."""
_MAIN: dict[Kind, str] = {"training": WEIGHTS, "evaluation": PREDICTIONS}
_FILES: dict[Kind, set[str]] = {
    "training": {WEIGHTS, LAST_WEIGHTS},
    "evaluation": {PREDICTIONS},
}
_CHECKED = ("provenance", "attempts", "remarks", "trained_on", "accepted", "excluded")
_ON_BOARDS = ("provenance", "remarks")


def invalid_claims(record: Record, task: Task) -> Iterator[str]:
    """Yield one clause per value of a record that cannot be right.

    Args:
        record: A record of a pack, whose spec is that of `task`.
        task: The task of the suite here.
    """
    if record.labels != task.labels:
        yield f"its labels are {record.labels}, but its spec gives {task.labels}"
    if record.seed != task.seed:
        yield f"its seed is {record.seed}, but its spec gives {task.seed}"
    if record.files.keys() - _FILES[task.kind] or _MAIN[task.kind] not in record.files:
        names = ", ".join(map(quoted, record.files)) or "none"
        yield f"it lists the files {names}, which are not those of a record of bench"
    if not record.provenance.sources:
        yield "its provenance lists no source files of bench"
    yield from _unprintable_texts(record)


def _unprintable_texts(record: Record) -> Iterator[str]:
    """Yield one clause per text that a board cannot print."""
    values: dict[str, Any] = msgspec.to_builtins(record)
    for name in _CHECKED:
        for text in _texts(values.get(name)):
            if not text.isprintable() or len(text) > _MAX_TEXT:
                yield f"its {name} has {quoted(text)}, which cannot be printed"
            elif name in _ON_BOARDS and _MARKUP & {*text}:
                yield f"its {name} has {quoted(text)}, which would be markup on a board"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in _within(value):
        yield from _texts(inner)


def _within(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from value
