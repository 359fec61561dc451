"""Progress on a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from bench.trials.events import (
    Adopted,
    Event,
    Failed,
    Finished,
    Infeasible,
    Progress,
    Resumed,
    Retried,
    Started,
    describe,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

    from bench.trials.grid import Trial


class LiveReporter:
    """A line a running trial with epoch, loss, speed and ETA; the totals below.

    A trial that ends leaves its line above the bars for good. `display` is drawn while entered.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._console = Console(stderr=True, highlight=False)
        self._trials = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[said]}"),
        )
        self._totals = Bars(
            TextColumn("trials"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
        )
        self.display = Live(
            Group(self._trials, self._totals), console=self._console, transient=True
        )
        self._rows: dict[str, TaskID] = {}
        self._total = self._totals.add_task("", total=len(names), said="starting")
        self._failed = 0

    def show(self, trial: Trial, event: Event) -> None:
        """Draw one event."""
        match event:
            case Started():
                self._trials.update(self._row(trial), completed=0, said="reading data")
            case Adopted() | Resumed() | Retried():
                self._trials.update(self._row(trial), said=describe(event))
            case Infeasible():
                line = f"{self._names[trial.key]}: {describe(event)}"
                self.display.console.print(line, style="yellow", markup=False)
            case Progress():
                said = (
                    f"epoch {event.epoch}/{event.epochs}  loss {event.loss:.3f}  "
                    f"{event.speed:.0f}/s  {event.eta:.0f} s left"
                )
                self._trials.update(self._row(trial), completed=event.fraction, said=said)
            case Finished() | Failed():
                self._end(trial, event)
        failed = f"  {self._failed} failed" if self._failed else ""
        self._totals.update(self._total, said=f"{len(self._rows)} running{failed}")

    def _row(self, trial: Trial) -> TaskID:
        if trial.key not in self._rows:
            self._rows[trial.key] = self._trials.add_task(
                escape(self._names[trial.key]), total=1.0, said=""
            )
        return self._rows[trial.key]

    def _end(self, trial: Trial, event: Finished | Failed) -> None:
        if trial.key in self._rows:
            self._trials.remove_task(self._rows.pop(trial.key))
        lost = isinstance(event, Failed)
        self._failed += lost
        self._totals.advance(self._total)
        line = f"{self._names[trial.key]}: {describe(event)}"
        self.display.console.print(line, style="red" if lost else "green", markup=False)
