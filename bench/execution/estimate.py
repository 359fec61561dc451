"""Estimate the duration of a run before it begins."""

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
    """The expected wall time of a run in seconds, without profiling; None: unknown.

    Attributes:
        tasks: The number of tasks to run.
        one_by_one: The time if tasks run one after another.
        slots: The number of tasks that run at once.
        seconds: The time on that number of slots.
    """

    tasks: int
    one_by_one: float | None
    slots: int | None
    seconds: float | None


def estimate_run(tasks: Sequence[Task], durations: SimilarTasks, slots: int | None) -> Estimate:
    """Estimate how long `tasks` take, from the durations of similar tasks.

    Args:
        tasks: The tasks to run.
        durations: The seconds that earlier tasks took.
        slots: The number of tasks that run at once; None: unknown.
    """
    queued = [remaining_task(task, durations.expected(task)) for task in tasks]
    seconds = time_left([], queued, slots) if slots else None
    return Estimate(len(tasks), time_left([], queued, 1), slots, seconds)


def local_slots(executor: str, address: str | None, tasks: Sequence[Task]) -> int | None:
    """Return how many of `tasks` an executor will run at once; None if only the executor knows.

    Only the executor knows for a cluster, and for this machine if tasks share its GPUs.
    """
    if executor in {"inline", "in-process"}:
        return 1
    shares = [task.resources for task in tasks]
    on_gpu = _GPU.exists() and any(each.gpus and each.device != "cpu" for each in shares)
    if executor != "ray" or address or on_gpu:
        return None
    most = max((each.devices * (each.cpus + each.count_workers(0)) for each in shares), default=1)
    return max(1, len(os.sched_getaffinity(0)) // most)
