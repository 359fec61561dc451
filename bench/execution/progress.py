"""Show the progress of a run on standard error: live on a terminal, else line by line."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import click

from bench.core.printable import printable
from bench.trials.durations import duration
from bench.trials.events import (
    ENDED,
    Event,
    Failed,
    Progress,
    SamplesRead,
    Validated,
    describe,
)

if TYPE_CHECKING:
    from bench.trials.records import Failure
    from bench.trials.specs import Task
    from bench.trials.store import Store

_PLAIN_SECONDS = 10.0


LogFormat = Literal["text", "json"]
"""How a command reports what happens: for people or as JSON."""
ProgressFormat = LogFormat | Literal["none"]
"""How a run reports its progress; `none`, for calls from Python, reports nothing."""


class Reporter(Protocol):
    """Shows a run on standard error."""

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Set the name of each task, by its key, and the number of tasks."""
        ...

    def phase(self, name: str) -> None:
        """Show the next phase of the run, such as `starting Ray`."""
        ...

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Show one event of `task`; `left` is the number of seconds left for all tasks."""
        ...

    def profiling(self, number: int, total: int, name: str) -> None:
        """Show that measurement `number` of `total` begins."""
        ...

    def close(self) -> None:
        """Stop drawing."""
        ...


def make_reporter(log_format: ProgressFormat, store: Store) -> Reporter:
    """Return a reporter of JSON, a live one on a terminal, or a plain one elsewhere.

    Args:
        log_format: `text`, `json`, or `none` for a reporter that prints nothing.
        store: Where the logs of tasks are.
    """
    if log_format == "none":
        return SilentReporter()
    if log_format == "json":
        from bench.execution.json_lines import JsonReporter

        return JsonReporter()
    if sys.stderr.isatty():
        from bench.execution.live import LiveReporter

        return LiveReporter(store)
    return PlainReporter(store)


def time_left_note(left: float | None) -> str:
    """Return in words how long a run still takes."""
    return "time left unknown" if left is None else f"about {duration(left)} left"


def outcome_line(name: str, task: Task, event: Event, store: Store) -> str:
    """Return an event of the task `name` as one line; for a failure, with the path of the log."""
    note = _log_note(task, store) if isinstance(event, Failed) else ""
    return printable(f"{name}: {describe(event)}{note}")


def failure_line(name: str, task: Task, failure: Failure, store: Store) -> str:
    """Return one line with the failed task, the reason, where it was raised, and the log."""
    return printable(f"failed: {name}: {failure.reason}{_log_note(task, store)}")


def _log_note(task: Task, store: Store) -> str:
    log = store.log(task)
    if log is None:
        return ""
    with suppress(ValueError, OSError):
        log = log.relative_to(Path.cwd())
    return f"; log: {log}"


class SilentReporter:
    """Prints nothing."""

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Print nothing."""

    def phase(self, name: str) -> None:
        """Print nothing."""

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Print nothing."""

    def profiling(self, number: int, total: int, name: str) -> None:
        """Print nothing."""

    def close(self) -> None:
        """Print nothing."""


class PlainReporter:
    """Prints a line when a task starts or ends, and otherwise one per ten seconds at most."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: Mapping[str, str] = {}
        self._began = time.monotonic()
        self._ended = self._total = 0
        self._printed: dict[str, float] = {}

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Set the names of the tasks and their number."""
        self._names, self._total = names, total

    def phase(self, name: str) -> None:
        """Print a phase with the time at which it began."""
        click.echo(printable(f"[{time.monotonic() - self._began:.1f} s] {name}"), err=True)

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Print the event, unless it is progress within ten seconds of the task's last line."""
        now = time.monotonic()
        ends = isinstance(event, ENDED)
        self._ended += ends
        if (
            isinstance(event, Progress | Validated | SamplesRead)
            and now - self._printed.get(task.key, 0.0) < _PLAIN_SECONDS
        ):
            return
        self._printed[task.key] = now
        note = f", {time_left_note(left)}" if ends and self._ended < self._total else ""
        line = outcome_line(self._names[task.key], task, event, self._store)
        click.echo(f"[{self._ended}/{self._total}{note}] {line}", err=True)

    def profiling(self, number: int, total: int, name: str) -> None:
        """Print which measurement begins."""
        click.echo(printable(f"[{number}/{total}] profiling {name}"), err=True)

    def close(self) -> None:
        """Do nothing: all lines are complete."""
