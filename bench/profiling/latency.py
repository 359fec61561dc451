"""One latency: warm up, sample, and judge whether the samples may be believed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from bench.profiling.load import Usage, disturbance
from bench.trials.store import Figure

WARM_UP = 10
LEAST_SAMPLES = 64
"""MLPerf's floor for a 90th percentile."""
LEAST_SECONDS = 1.0
MOST_SECONDS = 20.0
MOST_SPREAD = 1.5
"""How many times the median the 90th percentile may be."""


def figure(
    call: Callable[[], object],
    *,
    batch: int,
    decoded: bool,
    clock: Callable[[], float],
    synchronise: Callable[[], None],
    usage: Callable[[], Usage],
) -> Figure:
    """Time `call`, which is done when `synchronise` returns, on a `clock` of seconds."""
    for _ in range(WARM_UP):
        call()
    synchronise()
    before = usage()
    samples = _samples(call, clock, synchronise)
    faults = [_too_few(samples), disturbance(before, usage()), _too_wide(samples)]
    reason = ", and ".join(filter(None, faults))
    return Figure(
        batch=batch,
        decoded=decoded,
        p50=percentile(samples, 50),
        p90=percentile(samples, 90),
        valid=not reason,
        reason=reason,
        milliseconds=samples,
    )


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return the least of `samples` that at least `percent` of them do not exceed."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def _samples(
    call: Callable[[], object], clock: Callable[[], float], synchronise: Callable[[], None]
) -> list[float]:
    """Return milliseconds, as many as fit into the least time, and no fewer than the floor.

    Fewer come back only when the most time is over.
    """
    samples: list[float] = []
    first = clock()
    ended = first
    while not _enough(len(samples), ended - first):
        synchronise()
        began = clock()
        call()
        synchronise()
        ended = clock()
        samples.append(1000 * (ended - began))
    return samples


def _enough(samples: int, seconds: float) -> bool:
    return seconds >= (LEAST_SECONDS if samples >= LEAST_SAMPLES else MOST_SECONDS)


def _too_few(samples: Sequence[float]) -> str:
    if len(samples) >= LEAST_SAMPLES:
        return ""
    return f"only {len(samples)} samples in {MOST_SECONDS:.0f} s (at least {LEAST_SAMPLES})"


def _too_wide(samples: Sequence[float]) -> str:
    spread = percentile(samples, 90) / percentile(samples, 50)
    if spread <= MOST_SPREAD:
        return ""
    return f"p90 is {spread:.2f} times p50 (at most {MOST_SPREAD})"
