"""Progress on a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from bench.core.printable import printable
from bench.execution.progress import outcome_line
from bench.trials.events import (
    Event,
    Failed,
    Finished,
    FinishedElsewhere,
    HeldElsewhere,
    Infeasible,
    Progress,
    Resumed,
    Retried,
    SamplesRead,
    Started,
    describe,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

    from bench.trials.specs import Task
    from bench.trials.store import Store


class LiveReporter:
    """One line per running task with epoch, loss, speed and ETA; the totals below.

    A task that ends leaves its line above the bars. `display` is drawn while entered.
    """

    def __init__(self, names: Mapping[str, str], store: Store) -> None:
        self._names, self._store = names, store
        self._console = Console(stderr=True, highlight=False)
        self._tasks = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[text]}"),
        )
        self._totals = Bars(
            TextColumn("tasks"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self.display = Live(Group(self._tasks, self._totals), console=self._console, transient=True)
        self._rows: dict[str, TaskID] = {}
        self._total = self._totals.add_task("", total=len(names), text="starting")
        self._failed = 0

    def show(self, task: Task, event: Event) -> None:
        """Draw one event."""
        match event:
            case Started():
                self._tasks.update(self._row(task), completed=0, text="reading data")
            case Resumed() | Retried() | HeldElsewhere():
                self._tasks.update(self._row(task), text=describe(event))
            case Infeasible():
                line = printable(f"{self._names[task.key]}: {describe(event)}")
                self.display.console.print(line, style="yellow", markup=False)
            case Progress():
                text = (
                    f"step {event.step}/{event.steps}  loss {event.loss:.3f}  "
                    f"{event.speed:.0f}/s  {event.eta:.0f} s left"
                )
                self._tasks.update(self._row(task), completed=event.fraction, text=text)
            case SamplesRead():
                self._tasks.update(self._row(task), completed=event.fraction, text=describe(event))
            case Finished() | FinishedElsewhere() | Failed():
                self._end(task, event)
        failed = f"  {self._failed} failed" if self._failed else ""
        self._totals.update(self._total, text=f"{len(self._rows)} running{failed}")

    def _row(self, task: Task) -> TaskID:
        if task.key not in self._rows:
            self._rows[task.key] = self._tasks.add_task(
                escape(printable(self._names[task.key])), total=1.0, text=""
            )
        return self._rows[task.key]

    def _end(self, task: Task, event: Finished | FinishedElsewhere | Failed) -> None:
        if task.key in self._rows:
            self._tasks.remove_task(self._rows.pop(task.key))
        lost = isinstance(event, Failed)
        self._failed += lost
        self._totals.advance(self._total)
        line = outcome_line(self._names[task.key], task, event, self._store)
        self.display.console.print(line, style="red" if lost else "green", markup=False)
