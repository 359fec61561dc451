"""What a person sees of a run: live lines on a terminal, plain ones elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from bench.core.printable import printable
from bench.trials.events import (
    Event,
    Failed,
    Finished,
    FinishedElsewhere,
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


class Reporter(Protocol):
    """Shows events."""

    def show(self, task: Task, event: Event) -> None:
        """Show one event of `task`."""
        ...


@contextmanager
def reporter(names: Mapping[str, str], store: Store) -> Iterator[Reporter]:
    """Return a live reporter on a terminal, a plain one elsewhere.

    Args:
        names: What each task is called, by its key.
        store: Where their logs are.
    """
    if sys.stderr.isatty():
        from bench.execution.live import LiveReporter

        live = LiveReporter(names, store)
        with live.display:
            yield live
    else:
        yield PlainReporter(names, store)


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


class PlainReporter:
    """One line as a task starts and ends, and in between at most one every ten seconds."""

    def __init__(self, names: Mapping[str, str], store: Store) -> None:
        self._names, self._store = names, store
        self._ended = 0
        self._spoke: dict[str, float] = {}

    def show(self, task: Task, event: Event) -> None:
        """Print the event to standard error, unless it is too soon for another line."""
        now = time.monotonic()
        if isinstance(event, Finished | FinishedElsewhere | Failed):
            self._ended += 1
        elif (
            isinstance(event, Progress | Validated | SamplesRead)
            and now - self._spoke.get(task.key, 0.0) < _PLAIN_SECONDS
        ):
            return
        self._spoke[task.key] = now
        ended = f"[{self._ended}/{len(self._names)}]"
        line = outcome_line(self._names[task.key], task, event, self._store)
        click.echo(f"{ended} {line}", err=True)
