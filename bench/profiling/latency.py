"""One latency: warm up, sample, and decide whether the samples are valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bench.profiling.machine_load import MIN_OWN, describe_disturbance
from bench.trials.records import Latency

if TYPE_CHECKING:
    from bench.profiling.instruments import Instruments
    from bench.profiling.machine_load import Usage

WARM_UP_CALLS = 10
MIN_SAMPLES = 64
"""MLPerf's minimum for a 90th percentile."""
MIN_SECONDS = 1.0
MAX_SECONDS = 20.0
MAX_SPREAD = 1.5
"""The largest valid ratio of the 90th percentile to the median."""


def measure_latency(
    call: Callable[[], object],
    instruments: Instruments,
    *,
    batch: int,
    decoded: bool,
    max_seconds: float = MAX_SECONDS,
    min_own: float = MIN_OWN,
) -> Latency:
    """Time a function.

    Args:
        call: What is timed; it has ended when the device has.
        instruments: The readings of the device.
        batch: Samples per batch, for the result.
        decoded: Whether `call` reaches to labels, for the result.
        max_seconds: How long `MIN_SAMPLES` may take.
        min_own: The smallest share of one core that `call` needs.
    """
    instruments.reset_memory()
    instruments.warm_up(call, WARM_UP_CALLS)
    before = instruments.usage()
    samples = _samples(call, instruments, max_seconds)
    after = instruments.usage()
    reasons = [
        _too_few(samples, max_seconds),
        describe_disturbance(before, after, min_own),
        _too_wide(samples),
    ]
    reason = ", and ".join(filter(None, reasons))
    return Latency(
        batch=batch,
        decoded=decoded,
        p50=percentile(samples, 50),
        p90=percentile(samples, 90),
        valid=not reason,
        reason=reason,
        milliseconds=samples,
        peak_memory=instruments.peak_memory(),
        clocks=[each for each in map(_gpu_clock, (before, after)) if each],
    )


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return a percentile by nearest rank."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def _samples(
    call: Callable[[], object], instruments: Instruments, max_seconds: float
) -> list[float]:
    """Return milliseconds: `MIN_SAMPLES` and `MIN_SECONDS` of them, within `max_seconds`."""
    clock, synchronize = instruments.clock, instruments.synchronize
    samples: list[float] = []
    first = clock()
    ended = first
    while ended - first < (MIN_SECONDS if len(samples) >= MIN_SAMPLES else max_seconds):
        synchronize()
        began = clock()
        call()
        synchronize()
        ended = clock()
        samples.append(1000 * (ended - began))
    return samples


def _gpu_clock(usage: Usage) -> int | None:
    return usage.gpu.clock if usage.gpu else None


def _too_few(samples: Sequence[float], max_seconds: float) -> str:
    if len(samples) >= MIN_SAMPLES:
        return ""
    return f"only {len(samples)} samples in {max_seconds:.0f} s (at least {MIN_SAMPLES})"


def _too_wide(samples: Sequence[float]) -> str:
    spread = percentile(samples, 90) / percentile(samples, 50)
    if spread <= MAX_SPREAD:
        return ""
    return f"p90 is {spread:.2f} times p50 (at most {MAX_SPREAD})"
