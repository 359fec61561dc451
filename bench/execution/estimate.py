"""How long a run that has not begun may take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.trials.durations import SimilarTasks, remaining_task, time_left

if TYPE_CHECKING:
    from bench.trials.specs import Task

_GPU = Path("/dev/nvidiactl")


@dataclass(frozen=True)
class Estimate:
    """Seconds of wall time of a run, without profiling; None: unknown.

    Attributes:
        tasks: How many tasks are to run.
        one_by_one: All tasks after each other.
        slots: How many run at once.
        seconds: The run on so many slots.
    """

    tasks: int
    one_by_one: float | None
    slots: int | None
    seconds: float | None


def estimate_run(tasks: Sequence[Task], durations: SimilarTasks, slots: int | None) -> Estimate:
    """Return how long `tasks` may take by what like tasks took, on so many slots."""
    queued = [remaining_task(task, durations.expected(task)) for task in tasks]
    seconds = time_left([], queued, slots) if slots else None
    return Estimate(len(tasks), time_left([], queued, 1), slots, seconds)


def local_slots(executor: str, address: str | None, tasks: Sequence[Task]) -> int | None:
    """Return how many of `tasks` an executor will run at once; None where only it can tell.

    That is so of a cluster, and of this machine where it has GPUs to share out.
    """
    if executor in {"inline", "in-process"}:
        return 1
    shares = [task.resources for task in tasks]
    on_gpu = _GPU.exists() and any(each.gpus and each.device != "cpu" for each in shares)
    if executor != "ray" or address or on_gpu:
        return None
    most = max((each.devices * (each.cpus + each.count_workers(0)) for each in shares), default=1)
    return max(1, len(os.sched_getaffinity(0)) // most)
