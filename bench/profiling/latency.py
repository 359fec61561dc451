"""One latency: warm up, sample, and decide whether the samples are valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from bench.profiling.load import Usage, disturbance
from bench.trials.records import Latency

WARM_UP_CALLS = 10
MIN_SAMPLES = 64
"""MLPerf's minimum for a 90th percentile."""
MIN_SECONDS = 1.0
MAX_SECONDS = 20.0
MAX_SPREAD = 1.5
"""The largest valid ratio of the 90th percentile to the median."""


def measure_latency(
    call: Callable[[], object],
    *,
    batch: int,
    decoded: bool,
    clock: Callable[[], float],
    synchronize: Callable[[], None],
    usage: Callable[[], Usage],
) -> Latency:
    """Time a function.

    Args:
        call: What is timed; it has ended when `synchronize` returns.
        batch: Samples per batch, for the result.
        decoded: Whether `call` reaches to labels, for the result.
        clock: The time in seconds.
        synchronize: Waits for the device.
        usage: How busy the machine is.
    """
    for _ in range(WARM_UP_CALLS):
        call()
    synchronize()
    before = usage()
    samples = _samples(call, clock, synchronize)
    reasons = [_too_few(samples), disturbance(before, usage()), _too_wide(samples)]
    reason = ", and ".join(filter(None, reasons))
    return Latency(
        batch=batch,
        decoded=decoded,
        p50=percentile(samples, 50),
        p90=percentile(samples, 90),
        valid=not reason,
        reason=reason,
        milliseconds=samples,
    )


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return a percentile by nearest rank."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def _samples(
    call: Callable[[], object], clock: Callable[[], float], synchronize: Callable[[], None]
) -> list[float]:
    """Return milliseconds: `MIN_SAMPLES` and `MIN_SECONDS` of them, within `MAX_SECONDS`."""
    samples: list[float] = []
    first = clock()
    ended = first
    while not _enough(len(samples), ended - first):
        synchronize()
        began = clock()
        call()
        synchronize()
        ended = clock()
        samples.append(1000 * (ended - began))
    return samples


def _enough(samples: int, seconds: float) -> bool:
    return seconds >= (MIN_SECONDS if samples >= MIN_SAMPLES else MAX_SECONDS)


def _too_few(samples: Sequence[float]) -> str:
    if len(samples) >= MIN_SAMPLES:
        return ""
    return f"only {len(samples)} samples in {MAX_SECONDS:.0f} s (at least {MIN_SAMPLES})"


def _too_wide(samples: Sequence[float]) -> str:
    spread = percentile(samples, 90) / percentile(samples, 50)
    if spread <= MAX_SPREAD:
        return ""
    return f"p90 is {spread:.2f} times p50 (at most {MAX_SPREAD})"
