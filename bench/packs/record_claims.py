"""What a record of others says beside its spec and its scores, which boards print."""

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
"""What would be markup on the page of a board."""
_MAIN: dict[Kind, str] = {"training": WEIGHTS, "evaluation": PREDICTIONS}
_FILES: dict[Kind, set[str]] = {
    "training": {WEIGHTS, LAST_WEIGHTS},
    "evaluation": {PREDICTIONS},
}
_CHECKED = ("provenance", "attempts", "remarks", "trained_on", "accepted", "excluded")
_ON_BOARDS = ("provenance", "remarks")


def odd_claims(record: Record, task: Task) -> Iterator[str]:
    """Yield what of a record cannot be, in a clause each.

    Args:
        record: A record of a pack, whose spec is that of `task`.
        task: The task of this checkout.
    """
    if record.labels != task.labels:
        yield f"its labels are {record.labels}, its spec gives {task.labels}"
    if record.seed != task.seed:
        yield f"its seed is {record.seed}, its spec gives {task.seed}"
    if record.files.keys() - _FILES[task.kind] or _MAIN[task.kind] not in record.files:
        names = ", ".join(map(quoted, record.files)) or "none"
        yield f"the files beside it are {names}, not those of a record of bench"
    if not record.provenance.sources:
        yield "its provenance names no sources of bench"
    yield from _odd_texts(record)


def _odd_texts(record: Record) -> Iterator[str]:
    """Yield texts that a board cannot print."""
    held: dict[str, Any] = msgspec.to_builtins(record)
    for name in _CHECKED:
        for each in _texts(held.get(name)):
            if not each.isprintable() or len(each) > _MAX_TEXT:
                yield f"its {name} has {quoted(each)}, which cannot be printed"
            elif name in _ON_BOARDS and _MARKUP & {*each}:
                yield f"its {name} has {quoted(each)}, which would be markup on a board"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in _within(value):
        yield from _texts(each)


def _within(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from value
