"""What a person sees of a run: live lines on a terminal, plain ones elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from bench.training.events import Event, Failed, Finished, Progress, describe

if TYPE_CHECKING:
    from bench.grid import Trial

_PLAIN_SECONDS = 10.0


class Reporter(Protocol):
    """Shows events."""

    def show(self, trial: Trial, event: Event) -> None:
        """Show one event of `trial`."""
        ...


@contextmanager
def reporter(total: int) -> Iterator[Reporter]:
    """Return what suits standard error, for a run of `total` trials."""
    if sys.stderr.isatty():
        from bench.execution.live import LiveReporter

        live = LiveReporter(total)
        with live.display:
            yield live
    else:
        yield PlainReporter(total)


class PlainReporter:
    """A line as a trial starts and ends, and between at most one every ten seconds."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended = 0
        self._spoke: dict[str, float] = {}

    def show(self, trial: Trial, event: Event) -> None:
        """Print the event to standard error, unless it is too soon for another line."""
        now = time.monotonic()
        if isinstance(event, Finished | Failed):
            self._ended += 1
        elif isinstance(event, Progress) and now - self._spoke.get(trial.key, 0.0) < _PLAIN_SECONDS:
            return
        self._spoke[trial.key] = now
        click.echo(f"[{self._ended}/{self._total}] {trial.label}: {describe(event)}", err=True)
