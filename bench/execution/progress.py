"""What a person sees of a run: live lines on a terminal, plain ones elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from bench.trials.events import Event, Failed, Finished, Progress, SamplesRead, Validated, describe

if TYPE_CHECKING:
    from bench.trials.specs import Task

_PLAIN_SECONDS = 10.0


class Reporter(Protocol):
    """Shows events."""

    def show(self, task: Task, event: Event) -> None:
        """Show one event of `task`."""
        ...


@contextmanager
def reporter(names: Mapping[str, str]) -> Iterator[Reporter]:
    """Return a live reporter on a terminal, a plain one elsewhere."""
    if sys.stderr.isatty():
        from bench.execution.live import LiveReporter

        live = LiveReporter(names)
        with live.display:
            yield live
    else:
        yield PlainReporter(names)


class PlainReporter:
    """One line as a task starts and ends, and in between at most one every ten seconds."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._ended = 0
        self._spoke: dict[str, float] = {}

    def show(self, task: Task, event: Event) -> None:
        """Print the event to standard error, unless it is too soon for another line."""
        now = time.monotonic()
        if isinstance(event, Finished | Failed):
            self._ended += 1
        elif (
            isinstance(event, Progress | Validated | SamplesRead)
            and now - self._spoke.get(task.key, 0.0) < _PLAIN_SECONDS
        ):
            return
        self._spoke[task.key] = now
        ended = f"[{self._ended}/{len(self._names)}]"
        click.echo(f"{ended} {self._names[task.key]}: {describe(event)}", err=True)
