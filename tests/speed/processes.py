"""The process of a task beside other ways to a fresh process that has imported torch.

`nox -s speed -- processes` prints the milliseconds that a task costs over its own time: until its
first event, and until its process has ended. `inline` forks it from the server of this process,
`ray` from that of a worker of Ray; `spawn` starts an interpreter, which imports what tasks need, as
where the system cannot fork.
`server` is what the first task of a client waits for besides. Turns go round, so that a machine
that slows down slows all alike; ratios are of medians.
"""

from __future__ import annotations

import statistics
import time
from unittest.mock import patch

from bench.execution.ray import connect  # isort: skip  (before ray)
import ray
from rich.console import Console
from rich.table import Table

from bench.execution import task_process
from bench.execution.task_process import TaskProcess
from bench.trials.events import Finished, Started

TURNS = 5
TASKS = 5
"""Per turn; one where it is a new interpreter."""
AT_MOST = 60.0


EVENTS = (Started("cpu"), Finished("", 0.0))
"""What a task reports that does nothing."""


def forked() -> tuple[float, float]:
    """Return the seconds to the first event and to the end of a task in its process."""
    began = time.perf_counter()
    process = TaskProcess(iter, (EVENTS,))
    assert process.poll(600.0)
    first = time.perf_counter()
    assert process.poll(600.0)
    return first - began, time.perf_counter() - began


def spawned() -> tuple[float, float]:
    """Return the same for a new interpreter."""
    with patch.object(task_process, "can_fork", return_value=False):
        return forked()


@ray.remote
class Worker:
    """A worker of Ray."""

    def forked(self) -> tuple[float, float]:
        return forked()


def main() -> None:
    times: dict[str, list[tuple[float, float]]] = {"inline": [], "ray": [], "spawn": []}
    with connect():
        worker = Worker.remote()
        servers = {"inline": forked()[0], "ray": ray.get(worker.forked.remote())[0]}
        for _ in range(TURNS):
            times["inline"] += [forked() for _ in range(TASKS)]
            times["ray"] += [ray.get(worker.forked.remote()) for _ in range(TASKS)]
            times["spawn"].append(spawned())
    medians = {
        name: [1000 * statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
    table = Table(title=f"ms per task over its own time; at most {AT_MOST:g} to its end when idle")
    for column in ("process", "first event", "end", "spawn ÷ it", "server"):
        table.add_column(column, justify="right")
    for name, (first, end) in medians.items():
        ratio = f"{medians['spawn'][1] / end:.1f}"
        server = f"{1000 * servers[name]:.0f}" if name in servers else ""
        table.add_row(name, f"{first:.1f}", f"{end:.1f}", ratio, server)
    Console().print(table)


if __name__ == "__main__":
    main()
