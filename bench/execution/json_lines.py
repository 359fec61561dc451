"""Report a run as lines of JSON on standard error (`bench docs watching` has the schema)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bench.core.printable import printable_json
from bench.trials.events import Event, describe

if TYPE_CHECKING:
    from bench.trials.specs import Task

SCHEMA = 1
_WORD = re.compile("(?<!^)(?=[A-Z])")


class JsonReporter:
    """Writes each phase, event and measurement as one line of JSON as soon as it happens."""

    def __init__(self) -> None:
        self._names: Mapping[str, str] = {}

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Write how many tasks there are."""
        self._names = names
        _write("plan", tasks=total)

    def phase(self, name: str) -> None:
        """Write a phase."""
        _write("phase", text=name)

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Write an event with its own fields."""
        name = _WORD.sub("_", type(event).__name__).lower()
        _write(
            name,
            key=task.key,
            kind=task.kind,
            name=self._names[task.key],
            text=describe(event),
            run_seconds_left=left,
            fields=msgspec.to_builtins(event),
        )

    def profiling(self, number: int, total: int, name: str) -> None:
        """Write that a measurement begins."""
        _write("profiling", number=number, total=total, name=name)

    def close(self) -> None:
        """Do nothing: all lines are complete."""


def json_line(event: str, **fields: Any) -> str:  # noqa: ANN401 (JSON)
    """Return one line of the log: an event with its time and fields."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    document = {"schema": SCHEMA, "time": now, "event": event, **fields}
    return printable_json(msgspec.json.encode(document).decode())


def _write(event: str, **fields: Any) -> None:  # noqa: ANN401 (JSON)
    # In one call: a worker of the same terminal may write between two.
    sys.stderr.write(f"{json_line(event, **fields)}\n")
    sys.stderr.flush()
