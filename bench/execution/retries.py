"""Which failed attempts at a task are retried, by cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.trials.records import Attempt, Cause
    from bench.trials.specs import Task

RETRIES: dict[Cause, int] = {"lost node": 2, "out of memory": 1}
"""How many retries of a task each cause allows in one run; other causes allow none."""
NOTICE_SECONDS = 20.0
"""For about so many seconds a cluster still sends tasks to a node that is lost."""


def _retries(cause: Cause, task: Task) -> int:
    """Return how many retries a cause allows.

    A training on several devices also resumes once after one of its processes is lost: this is more
    likely with more devices, and the checkpoint has the work of all of them.
    """
    if cause == "lost worker" and task.resources.devices > 1:
        return 1
    return RETRIES.get(cause, 0)


def back_off(cause: Cause) -> float:
    """Return how many seconds to wait before another attempt."""
    return NOTICE_SECONDS if cause == "lost node" else 0.0


def retried(task: Task, attempts: Sequence[Attempt]) -> Task | None:
    """Return the task to submit again after these failed attempts, or None for no retry.

    After an out-of-memory error it gets whole GPUs instead of a share of one. The batch never
    becomes smaller, because that would be another training.
    """
    cause = attempts[-1].cause
    if sum(attempt.cause == cause for attempt in attempts) > _retries(cause, task):
        return None
    if cause != "out of memory":
        return task
    whole = float(math.ceil(task.resources.gpus))
    return task.with_resources(replace(task.resources, gpus=whole))
