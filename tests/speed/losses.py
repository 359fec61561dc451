"""Forward and backward of every loss, as ratios to torch's native CTC in the same run.

A loss that trains on two views of a batch is given both.

`nox -s speed -- losses` prints the table. Rounds go round all losses, so that a machine that slows
down slows them alike; a ratio is one of medians.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from bench.core import registry
from bench.core.types import Batch, FeatureDims, Features, Targets

SHAPES = [(41, 64, 11, 4), (26, 512, 37, 8), (128, 32, 80, 45)]
"""T, N, C, U: Seq-MNIST, CRNN on words, a line of handwriting."""
FEATURES = 64
ROUNDS = 30
AT_MOST = {
    "ace": (1.5, 1.5, 0.5),
    "cr-ctc": (3, 3, 3),
    "focal-ctc": (1.3, 1.1, 1.1),
    "prior-ctc": (3, 3, 2),
    "radial-ctc": (4, 2, 2),
    "ctc-reference": (9, 2, 4),
    "enctc": (12, 4, 6),
    "esctc": (30, 10, 20),
}


def step(name: str, shape: tuple[int, int, int, int], device: str) -> Callable[[], None]:
    """Return one forward and backward pass from features, through the loss's own classifier."""
    frames, batch, classes, labels = shape
    loss = registry.builtin("loss")[name]()
    torch.manual_seed(0)
    head = loss.head(FeatureDims(FEATURES, FEATURES), classes).to(device)
    targets = torch.randint(1, classes, (batch, labels))
    shown = loss.augmented_views(
        Batch(
            torch.randn(batch, frames, 1, 1, FEATURES, device=device),
            torch.full((batch,), frames),
            targets,
            torch.full((batch,), labels),
            torch.full_like(targets, -1),
            tuple(map(str, range(batch))),
        )
    )
    features = shown.inputs.flatten(2).requires_grad_()
    truth = Targets(shown.lengths, shown.targets.to(device), shown.target_lengths)

    def once() -> None:
        features.grad = None
        head.zero_grad()
        loss.objective(head, Features(features, features), truth).backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return once


def medians(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the milliseconds of each step, the middle one of `ROUNDS`."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(ROUNDS + 3):
        for name, once in steps.items():
            began = time.perf_counter()
            once()
            if number >= 3:
                seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * statistics.median(taken) for name, taken in seconds.items()}


def main() -> None:
    """Print a table for the CPU with two threads, and one for CUDA where there is one."""
    torch.set_num_threads(2)
    names = [name for name, loss in registry.builtin("loss").items() if loss.accepts == "frames"]
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        table = Table(title=f"forward + backward on {device}: × native ctc (at most)")
        table.add_column("loss")
        columns = []
        for shape in SHAPES:
            found = medians({name: step(name, shape, device) for name in names})
            columns.append({name: found[name] / found["ctc"] for name in names})
            frames, batch, classes, labels = shape
            native = f"ctc {found['ctc']:.1f} ms"
            table.add_column(f"T {frames}, N {batch}, C {classes}, U {labels}\n{native}")
        for name in names:
            limits = AT_MOST.get(name, (math.inf,) * len(SHAPES))
            cells = [
                f"{column[name]:.2f}" + (f" ({limit})" if limit < math.inf else "")
                for column, limit in zip(columns, limits, strict=True)
            ]
            table.add_row(name, *cells)
        Console().print(table)


if __name__ == "__main__":
    main()
