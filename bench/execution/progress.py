"""What a person sees of a run: live lines on a terminal, plain ones elsewhere."""

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
"""How a command says what happens."""
ProgressFormat = LogFormat | Literal["none"]
"""How a run does; `none`: not at all, as a library."""


class Reporter(Protocol):
    """Shows a run on standard error."""

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Take what each task is called, by its key, and how many tasks there are."""
        ...

    def phase(self, name: str) -> None:
        """Show what the run does next, such as `starting Ray`."""
        ...

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Show one event of `task`; `left` is the number of seconds left for all tasks."""
        ...

    def profiling(self, number: int, total: int, name: str) -> None:
        """Show that measurement `number` of `total` begins."""
        ...

    def close(self) -> None:
        """End what is drawn."""
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
    """Say how long a run still takes."""
    return "time left unknown" if left is None else f"about {duration(left)} left"


def outcome_line(name: str, task: Task, event: Event, store: Store) -> str:
    """Return an event of the task `name` as one line; of a failure also where the log is."""
    note = _log_note(task, store) if isinstance(event, Failed) else ""
    return printable(f"{name}: {describe(event)}{note}")


def failure_line(name: str, task: Task, failure: Failure, store: Store) -> str:
    """Return in one line which task failed, why, where that was raised, and where the log is."""
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
    """One line as a task starts and ends, and in between at most one every ten seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: Mapping[str, str] = {}
        self._began = time.monotonic()
        self._ended = self._total = 0
        self._printed: dict[str, float] = {}

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Take the names of the tasks and their number."""
        self._names, self._total = names, total

    def phase(self, name: str) -> None:
        """Print a phase and when it began."""
        click.echo(printable(f"[{time.monotonic() - self._began:.1f} s] {name}"), err=True)

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Print the event, unless it is too soon for another line."""
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
        """End nothing: lines are complete."""
