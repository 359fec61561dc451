"""Which failed attempts are worth another one, by cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.trials.grid import Trial
    from bench.trials.store import Attempt, Cause

RETRIES: dict[Cause, int] = {"lost node": 2, "out of memory": 1}
"""How often a cause may strike a trial in one run and be tried again; any other ends it."""
NOTICE_SECONDS = 20.0
"""For about so long a cluster goes on to send trials to a node that is no more."""


def back_off(cause: Cause) -> float:
    """Return how many seconds to wait before another attempt."""
    return NOTICE_SECONDS if cause == "lost node" else 0.0


def again(trial: Trial, attempts: Sequence[Attempt]) -> Trial | None:
    """Return the trial to submit after these failed attempts, or None when that was the last.

    Out of memory gets whole devices instead of a share; never a smaller batch, which would make it
    another trial.
    """
    cause = attempts[-1].cause
    if sum(attempt.cause == cause for attempt in attempts) > RETRIES.get(cause, 0):
        return None
    if cause == "out of memory":
        whole = float(math.ceil(trial.resources.gpus))
        return replace(trial, resources=replace(trial.resources, gpus=whole))
    return trial
