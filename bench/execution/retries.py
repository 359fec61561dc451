"""Which failed attempts are worth another one, by cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.trials.records import Attempt, Cause
    from bench.trials.specs import Task

RETRIES: dict[Cause, int] = {"lost node": 2, "out of memory": 1}
"""How often a cause may end attempts at a task in one run and be tried again; others never."""
NOTICE_SECONDS = 20.0
"""For about this long a cluster keeps sending tasks to a node that is gone."""


def _retries(cause: Cause, task: Task) -> int:
    """Return how often a cause may end attempts at a task and be tried again.

    A training on several devices resumes once after one of its processes is lost: with each device
    this is more likely, and the checkpoint keeps what all of them have done.
    """
    if cause == "lost worker" and task.resources.devices > 1:
        return 1
    return RETRIES.get(cause, 0)


def back_off(cause: Cause) -> float:
    """Return how many seconds to wait before another attempt."""
    return NOTICE_SECONDS if cause == "lost node" else 0.0


def retried(task: Task, attempts: Sequence[Attempt]) -> Task | None:
    """Return the task to submit after these failed attempts, or None when that was the last.

    Out of memory gets a whole device instead of a share; never a smaller batch, which would make
    it another training.
    """
    cause = attempts[-1].cause
    if sum(attempt.cause == cause for attempt in attempts) > _retries(cause, task):
        return None
    if cause != "out of memory":
        return task
    whole = float(math.ceil(task.resources.gpus))
    return task.with_resources(replace(task.resources, gpus=whole))
