"""ABINet's vision model forward, beside the same weights as one would first write them.

`nox -s speed -- vision` prints the table: words of 32×128 pixels to symbols, as they are tested.
The plain one (tests/references) has torch's default layout and computes attention head by head;
bench's has channels last, as every trial has, torch's own encoder layers, and one query for all.
Rounds go round both, so that a machine that slows down slows them alike; a ratio is of medians. On
the CPU it is one core's time, of which neighbours take least.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from bench.core.types import InputShape
from bench.models.abinet_vision import AbinetVision

sys.path.append(str(Path(__file__).parents[1] / "references"))
from plain_abinet import attend

SHAPE = InputShape(3, 32, 128)
ROUNDS = 5
AT_LEAST = {1: 1, 32: 1.1}
"""Images a batch, and how much faster bench is meant to be."""


def forwards(batch: int, device: str) -> dict[str, Callable[[], Tensor]]:
    """Return a forward pass of each, both of the same images."""
    torch.manual_seed(0)
    plain = AbinetVision().build(SHAPE, 37).eval().to(device)
    network = deepcopy(plain).to(memory_format=torch.channels_last)
    images = torch.rand(batch, *SHAPE, device=device)
    lengths = torch.full((batch,), SHAPE.width)
    found = {
        "plain": lambda: attend(plain, images)[0],
        "bench": lambda: network(images, lengths, lambda _: None).sequence,
    }
    torch.testing.assert_close(found["bench"](), found["plain"](), atol=1e-3, rtol=1e-3)
    return found


def medians(calls: dict[str, Callable[[], Tensor]], device: str) -> dict[str, float]:
    """Return the milliseconds of each call, the middle one of `ROUNDS`."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 1):
        for name, call in calls.items():
            began = clock()
            call()
            if device == "cuda":
                torch.cuda.synchronize()
            if number:
                seconds[name].append(clock() - began)
    return {name: 1000 * statistics.median(taken) for name, taken in seconds.items()}


@torch.inference_mode()
def main() -> None:
    """Print a table for one core, and one for CUDA where there is one."""
    torch.set_num_threads(1)
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        columns = ("batch", "plain", "bench", "× faster (at least)")
        table = Table(*columns, title=f"forward on {device}")
        for batch, least in AT_LEAST.items():
            found = medians(forwards(batch, device), device)
            times = [f"{found[name]:.0f} ms" for name in ("plain", "bench")]
            ratio = found["plain"] / found["bench"]
            table.add_row(str(batch), *times, f"{ratio:.2f} ({least})")
        Console().print(table)


if __name__ == "__main__":
    main()
