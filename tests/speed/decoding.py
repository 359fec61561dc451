"""Greedy decoding on one thread, beside the two torch calls that any decoder needs.

`nox -s speed -- decoding` prints the table: sequences a second, and the time as a ratio to
`log_softmax` and `max` over the same logits in the same run.
"""

from __future__ import annotations

import statistics
import time

import torch
from rich.console import Console
from rich.table import Table

from bench.decoding.greedy import greedy

SHAPES = [(256, 26, 37), (256, 41, 11), (32, 128, 80)]
ROUNDS = 100


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = Table("B, T, C", "sequences a second", "× log_softmax and max")
    for batch, frames, classes in SHAPES:
        logits = torch.randn(batch, frames, classes)
        lengths = torch.full((batch,), frames)
        ours, floor = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            greedy(logits, lengths)
            middle = time.perf_counter()
            logits.log_softmax(-1).max(-1)
            ours.append(middle - began)
            floor.append(time.perf_counter() - middle)
        taken = statistics.median(ours)
        ratio = taken / statistics.median(floor)
        table.add_row(f"{batch}, {frames}, {classes}", f"{batch / taken:,.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
