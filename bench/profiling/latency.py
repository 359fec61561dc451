"""Measurement of one latency: warm up, time calls, and check that the result is valid."""

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
"""The minimum of MLPerf for a 90th percentile."""
MIN_SECONDS = 1.0
MAX_SECONDS = 20.0
MAX_SPREAD = 1.5
"""The largest ratio of the 90th percentile to the median in a valid result."""


def measure_latency(
    call: Callable[[], object],
    instruments: Instruments,
    *,
    batch: int,
    decoded: bool,
    max_seconds: float = MAX_SECONDS,
    min_own: float = MIN_OWN,
) -> Latency:
    """Time a function and check that the machine was idle otherwise.

    Args:
        call: The function; the time ends when the device has finished.
        instruments: The instruments for the device.
        batch: The number of samples per batch, for the result.
        decoded: Whether `call` returns labels instead of logits, for the result.
        max_seconds: The longest time for `MIN_SAMPLES` calls.
        min_own: The share of one CPU core below which the result is invalid.
    """
    instruments.reset_memory()
    instruments.warm_up(call, WARM_UP_CALLS)
    before = instruments.usage()
    samples = _time_calls(call, instruments, max_seconds)
    after = instruments.usage()
    reasons = [
        _sample_fault(samples, max_seconds),
        describe_disturbance(before, after, min_own),
        _spread_fault(samples),
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
        clocks=[clock for clock in map(_gpu_clock, (before, after)) if clock],
    )


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return a percentile by the nearest-rank method."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def _time_calls(
    call: Callable[[], object], instruments: Instruments, max_seconds: float
) -> list[float]:
    """Return the milliseconds of each call.

    Calls are repeated until there are `MIN_SAMPLES` and `MIN_SECONDS` have passed, but no longer
    than `max_seconds`.
    """
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


def _sample_fault(samples: Sequence[float], max_seconds: float) -> str:
    if len(samples) >= MIN_SAMPLES:
        return ""
    return f"only {len(samples)} samples in {max_seconds:.0f} s (at least {MIN_SAMPLES})"


def _spread_fault(samples: Sequence[float]) -> str:
    spread = percentile(samples, 90) / percentile(samples, 50)
    if spread <= MAX_SPREAD:
        return ""
    return f"p90 is {spread:.2f} times p50 (at most {MAX_SPREAD})"
