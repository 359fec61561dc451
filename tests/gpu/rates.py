"""What a device can do at most: multiply-accumulates and bytes per second, measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.training.device import configure_torch

WARM_UP_SECONDS = 0.5
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Rates:
    """The rates of a device.

    Attributes:
        macs: Multiply-accumulates per second of a matrix product, by precision.
        bytes: Bytes per second that a copy within its memory reads and writes.
    """

    macs: dict[str, float]
    bytes: float

    def floor(self, precision: str, macs: float, moved: float) -> float:
        """Return the least seconds that so many multiply-accumulates or moved bytes take."""
        return max(macs / self.macs[precision], moved / self.bytes)


def precisions(device: str) -> list[str]:
    """Return the precisions that a training on `device` may have."""
    return ["float32", "tf32", "bf16", "fp16"] if device == "cuda" else ["float32", "bf16"]


def seconds(call: Callable[[], object], device: str, *, least: float, calls: int = 1) -> float:
    """Return the seconds of one of several calls, queued for at least so many seconds."""
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
    while True:
        synchronize()
        began = time.perf_counter()
        for _ in range(calls):
            call()
        synchronize()
        taken = time.perf_counter() - began
        if taken >= least:
            return taken / calls
        calls *= 2


def measure(device: str, *, tiny: bool) -> Rates:
    """Measure the rates of a device; `tiny` is quick and says little."""
    side, numbers = (256, 2**20) if tiny else (8192, 2**28)
    least = 0.01 if tiny else WARM_UP_SECONDS
    rates = {}
    for precision in precisions(device):
        configure_torch(torch.get_num_threads(), precision)
        factor = torch.randn(side, side, device=device, dtype=HALF.get(precision, torch.float32))
        product = torch.empty_like(factor)
        seconds(lambda: torch.mm(factor, factor, out=product), device, least=least)  # noqa: B023
        taken = seconds(lambda: torch.mm(factor, factor, out=product), device, least=least)  # noqa: B023
        rates[precision] = side**3 / taken
    source = torch.zeros(numbers, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Rates(rates, 2 * numbers / seconds(lambda: target.copy_(source), device, least=least))
