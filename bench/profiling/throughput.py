"""Throughput at the smallest batch that fills a GPU: doubled until more samples gain nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bench.profiling.machine_load import describe_disturbance
from bench.tasks.memory import is_out_of_memory
from bench.trials.records import Throughput

if TYPE_CHECKING:
    from bench.profiling.instruments import Instruments

Reader = Callable[[], object]

FIRST_BATCH = 32
MAX_BATCH = 1024
MIN_GAIN = 1.05
"""A batch twice as large that raises the samples per second by less does not count as faster."""
MAX_MEMORY = 0.8
"""The largest share of the device's memory that a batch is expected to take."""
MIN_SECONDS = 0.5
_WARM_UP_CALLS = 2


class _Reading(NamedTuple):
    """Samples per second at one batch size, and the peak of the memory."""

    rate: float
    peak: int | None


def measure_throughput(
    reader: Callable[[int], Reader], instruments: Instruments
) -> Throughput | None:
    """Return the throughput at the smallest batch that fills the device.

    The batch is doubled from `FIRST_BATCH` on until that gains less than `MIN_GAIN`, until
    `MAX_BATCH`, or until the next one is expected not to fit into `MAX_MEMORY`.

    Args:
        reader: From a batch size to a function that reads a batch of that size.
        instruments: The readings of the device.

    Returns:
        The throughput; None where not even the first batch fits into the memory.
    """
    tried: dict[int, _Reading] = {}
    try:
        instruments.warm_up(reader(FIRST_BATCH), _WARM_UP_CALLS)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return None
        raise
    before = instruments.usage()
    batch = FIRST_BATCH
    while batch <= MAX_BATCH and _fits(tried.get(batch // 2), instruments.memory):
        try:
            tried[batch] = _read(reader(batch), batch, instruments)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                break
            raise
        if not _gains(tried, batch // 2):
            break
        batch *= 2
    filling = next(each for each in tried if not _gains(tried, each) or each == max(tried))
    reason = describe_disturbance(before, instruments.usage())
    return Throughput(
        batch=filling,
        samples_per_second=tried[filling].rate,
        valid=not reason,
        reason=reason,
        tried={str(each): reading.rate for each, reading in tried.items()},
        peak_memory=tried[filling].peak,
    )


def _gains(tried: dict[int, _Reading], batch: int) -> bool:
    """Return whether twice the batch was enough faster; True where that is not known."""
    if batch not in tried or 2 * batch not in tried:
        return True
    return tried[2 * batch].rate >= MIN_GAIN * tried[batch].rate


def _fits(half: _Reading | None, memory: int | None) -> bool:
    """Return whether a batch is expected to fit: it takes at most twice as much as `half`."""
    peak = half.peak if half else None
    return peak is None or memory is None or 2 * peak <= MAX_MEMORY * memory


def _read(read: Reader, batch: int, instruments: Instruments) -> _Reading:
    instruments.reset_memory()
    rate = batch * _calls_per_second(read, instruments)
    return _Reading(rate, instruments.peak_memory())


def _calls_per_second(read: Reader, instruments: Instruments) -> float:
    """Return the rate of calls that are queued one after the other, as when a set is read."""
    for _ in range(_WARM_UP_CALLS):
        read()
    calls = 1
    while True:
        instruments.synchronize()
        began = instruments.clock()
        for _ in range(calls):
            read()
        instruments.synchronize()
        seconds = instruments.clock() - began
        if seconds >= MIN_SECONDS:
            return calls / seconds
        calls *= 2
