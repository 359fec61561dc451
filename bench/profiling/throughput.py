"""Throughput at the smallest batch that fills a GPU, found by doubling the batch size."""

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
"""The smallest ratio of samples per second at which a batch of twice the size counts as faster."""
MAX_MEMORY = 0.8
"""The largest share of the device's memory that a batch is expected to need."""
MIN_SECONDS = 0.5
_WARM_UP_CALLS = 2


class _BatchResult(NamedTuple):
    """The result at one batch size: samples per second, and peak memory in bytes."""

    rate: float
    peak: int | None


def measure_throughput(
    reader: Callable[[int], Reader], instruments: Instruments
) -> Throughput | None:
    """Return the throughput at the smallest batch that fills the device.

    The batch size is doubled from `FIRST_BATCH` until the gain is below `MIN_GAIN`, up to
    `MAX_BATCH`, and as long as the batch is expected to fit into `MAX_MEMORY`.

    Args:
        reader: A function from a batch size to a function that reads such a batch.
        instruments: The instruments for the device.

    Returns:
        The throughput; None if the first batch does not fit into the memory.
    """
    results: dict[int, _BatchResult] = {}
    try:
        instruments.warm_up(reader(FIRST_BATCH), _WARM_UP_CALLS)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return None
        raise
    before = instruments.usage()
    batch = FIRST_BATCH
    while batch <= MAX_BATCH and _fits(results.get(batch // 2), instruments.memory):
        try:
            results[batch] = _measure_batch(reader(batch), batch, instruments)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                break
            raise
        if not _gains(results, batch // 2):
            break
        batch *= 2
    filling = next(each for each in results if not _gains(results, each) or each == max(results))
    reason = describe_disturbance(before, instruments.usage())
    return Throughput(
        batch=filling,
        samples_per_second=results[filling].rate,
        valid=not reason,
        reason=reason,
        tried={str(each): result.rate for each, result in results.items()},
        peak_memory=results[filling].peak,
    )


def _gains(results: dict[int, _BatchResult], batch: int) -> bool:
    """Return whether twice the batch was faster by `MIN_GAIN`; True if one was not measured."""
    if batch not in results or 2 * batch not in results:
        return True
    return results[2 * batch].rate >= MIN_GAIN * results[batch].rate


def _fits(half: _BatchResult | None, memory: int | None) -> bool:
    """Return whether a batch is expected to fit: it needs at most twice the memory of `half`."""
    peak = half.peak if half else None
    return peak is None or memory is None or 2 * peak <= MAX_MEMORY * memory


def _measure_batch(read: Reader, batch: int, instruments: Instruments) -> _BatchResult:
    instruments.reset_memory()
    rate = batch * _calls_per_second(read, instruments)
    return _BatchResult(rate, instruments.peak_memory())


def _calls_per_second(read: Reader, instruments: Instruments) -> float:
    """Return the rate of calls that are queued without waiting, as when a data set is read."""
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
