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
from bench.execution.progress import outcome_line, time_left_note
from bench.trials.durations import duration
from bench.trials.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    FinishedElsewhere,
    HeldElsewhere,
    Infeasible,
    NotRun,
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
    """Draws one line per running task with epoch, loss, speed and ETA, and the totals below.

    The outcome of a task that has ended is printed above them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: Mapping[str, str] = {}
        self._console = Console(stderr=True, highlight=False)
        self._tasks = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[text]}"),
        )
        self._totals = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self._display = Live(
            Group(self._tasks, self._totals), console=self._console, transient=True
        )
        self._rows: dict[str, TaskID] = {}
        self._total = self._totals.add_task("tasks", total=0, text="starting")
        self._failed = 0

    def begin(self, names: Mapping[str, str], total: int) -> None:
        """Set the names of the tasks and their number, and begin to draw."""
        self._names = names
        self._totals.update(self._total, total=total)
        self._display.start()

    def phase(self, name: str) -> None:
        """Draw a phase beside the time since the run began."""
        self._totals.update(self._total, text=escape(printable(name)))
        self._display.start()

    def profiling(self, number: int, total: int, name: str) -> None:
        """Draw the name of the current measurement, its number and their total."""
        text = escape(printable(name))
        self._totals.update(
            self._total, description="profiles", completed=number - 1, total=total, text=text
        )
        self._display.start()

    def close(self) -> None:
        """Remove what is drawn."""
        self._display.stop()

    def show(self, task: Task, event: Event, left: float | None) -> None:
        """Draw one event."""
        match event:
            case Started():
                self._tasks.update(self._row(task), completed=0, text="reading data")
            case Resumed() | Retried() | HeldElsewhere():
                self._tasks.update(self._row(task), text=escape(describe(event)))
            case Infeasible():
                line = printable(f"{self._names[task.key]}: {describe(event)}")
                self._console.print(line, style="yellow", markup=False)
            case Progress():
                text = (
                    f"epoch {event.epoch:.1f}  loss {event.loss:.3f}  {event.speed:.0f}/s  "
                    f"{duration(event.eta)} left"
                )
                self._tasks.update(self._row(task), completed=event.fraction, text=text)
            case SamplesRead():
                self._tasks.update(self._row(task), completed=event.fraction, text=describe(event))
            case Finished() | FinishedElsewhere() | Failed() | Cancelled() | NotRun():
                self._end(task, event)
        failed = f", {self._failed} failed" if self._failed else ""
        text = f"{len(self._rows)} running{failed}, {time_left_note(left)}"
        self._totals.update(self._total, text=text)

    def _row(self, task: Task) -> TaskID:
        if task.key not in self._rows:
            self._rows[task.key] = self._tasks.add_task(
                escape(printable(self._names[task.key])), total=1.0, text=""
            )
        return self._rows[task.key]

    def _end(
        self, task: Task, event: Finished | FinishedElsewhere | Failed | Cancelled | NotRun
    ) -> None:
        if task.key in self._rows:
            self._tasks.remove_task(self._rows.pop(task.key))
        self._failed += isinstance(event, Failed)
        self._totals.advance(self._total)
        line = outcome_line(self._names[task.key], task, event, self._store)
        done = isinstance(event, Finished | FinishedElsewhere)
        style = "green" if done else "red" if isinstance(event, Failed) else "yellow"
        self._console.print(line, style=style, markup=False)
