"""Instruments of a measurement: time, load, and memory of the device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from bench.profiling import machine_load
from bench.training.accelerator import find_gpu, peak_memory, reset_peak_memory

if TYPE_CHECKING:
    from bench.profiling.machine_load import Usage

GPU_WARM_UP_SECONDS = 0.5
"""A GPU needs some tenths of a second to raise its clock; an idle H200 has a sixth of it."""


@dataclass(frozen=True)
class Instruments:
    """The instruments for one device.

    Attributes:
        clock: Returns the time in seconds.
        synchronize: Waits until the device has finished.
        usage: Returns how busy the machine and the device are.
        reset_memory: Resets the peak that `peak_memory` returns.
        peak_memory: Returns the peak memory of tensors on the device in bytes; None if unknown.
        memory: The memory of the device in bytes; None if unknown.
        warm_up_seconds: The time for which the device is kept busy before the first sample.
    """

    clock: Callable[[], float]
    synchronize: Callable[[], object]
    usage: Callable[[], Usage]
    reset_memory: Callable[[], object]
    peak_memory: Callable[[], int | None]
    memory: int | None
    warm_up_seconds: float

    def warm_up(self, call: Callable[[], object], calls: int) -> None:
        """Call a function at least `calls` times, and for at least `warm_up_seconds`."""
        began = self.clock()
        while calls > 0 or self.clock() - began < self.warm_up_seconds:
            call()
            self.synchronize()
            calls -= 1


def find_instruments(device: str) -> Instruments:
    """Return the instruments of "cpu" or "cuda" in this process."""
    on_gpu = device == "cuda"
    return Instruments(
        clock=time.perf_counter,
        # Calls on a CPU are synchronous.
        synchronize=torch.cuda.synchronize if on_gpu else lambda: None,
        usage=partial(machine_load.read_usage, find_gpu() if on_gpu else None),
        reset_memory=partial(reset_peak_memory, device),
        peak_memory=partial(peak_memory, device),
        memory=torch.cuda.get_device_properties().total_memory if on_gpu else None,
        warm_up_seconds=GPU_WARM_UP_SECONDS if on_gpu else 0.0,
    )
