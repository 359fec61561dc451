"""Every decoder on one thread, beside the two torch calls that any decoder needs.

`nox -s speed -- decoding` prints two tables. Greedy decoding is timed as a ratio to `log_softmax`
and `max` over the same logits; alignment and beam search as ratios to greedy decoding, all in the
same rounds. Logits are random, where a cut saves least, or peaked at a random class.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from bench.decoding.algorithms.best_path import decode_ctc
from bench.decoding.algorithms.forced_alignment import align
from bench.decoding.algorithms.prefix_beam import prefix_beam_search

SHAPES = [(256, 26, 37, 8), (256, 41, 11, 4), (32, 128, 80, 45)]
"""N, T, C, U: CRNN on words, Seq-MNIST, lines of handwriting."""
ROUNDS = 100
BEAM_SAMPLES = 16
BEAM_ROUNDS = 3
SEARCHES = [(0, 10, 0), (8, 10, 0), (8, 10, 1e-3), (8, 100, 1e-3)]
"""What is added to the logit of the best class, the width of the beam, and its cut."""


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the seconds of each call, the middle one of `rounds`."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def reading(shape: tuple[int, int, int, int]) -> list[str]:
    """Return a row: greedy decoding, beside its floor, and alignment, beside greedy decoding."""
    batch, frames, classes, labels = shape
    logits = torch.randn(batch, frames, classes)
    lengths = torch.full((batch,), frames)
    targets = torch.randint(1, classes, (batch, labels))
    counts = torch.full((batch,), labels)
    calls = {
        "floor": lambda: logits.log_softmax(-1).max(-1),
        "greedy": lambda: decode_ctc(logits, lengths),
        "spans": lambda: decode_ctc(logits, lengths).spans(),
        "align": lambda: align(logits.log_softmax(-1), lengths, targets, counts),
    }
    taken = medians(calls, ROUNDS)
    return [
        f"{batch}, {frames}, {classes}, {labels}",
        f"{batch / taken['greedy']:,.0f}",
        f"{taken['greedy'] / taken['floor']:.2f}",
        f"{taken['spans'] / taken['greedy']:.2f}",
        f"{batch / taken['align']:,.0f}",
        f"{taken['align'] / taken['greedy']:.1f}",
    ]


def searching(shape: tuple[int, int, int, int], peak: float, width: int, cut: float) -> list[str]:
    """Return a row of beam search."""
    _, frames, classes, _ = shape
    logits = torch.randn(BEAM_SAMPLES, frames, classes)
    best = torch.randint(classes, (BEAM_SAMPLES, frames, 1))
    logits.scatter_add_(2, best, torch.full_like(logits, peak))
    lengths = torch.full((BEAM_SAMPLES,), frames)
    calls = {
        "greedy": lambda: decode_ctc(logits, lengths),
        "beam": lambda: prefix_beam_search(logits, lengths, width=width, cut=cut),
    }
    taken = medians(calls, BEAM_ROUNDS)
    return [
        f"{BEAM_SAMPLES}, {frames}, {classes}",
        f"+{peak:g}",
        f"{width}",
        f"{cut:g}",
        f"{BEAM_SAMPLES / taken['beam']:,.0f}",
        f"{taken['beam'] / taken['greedy']:,.0f}",
    ]


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = Table("N, T, C, U", "greedy/s", "× floor", "with spans", "align/s", "× greedy")
    for shape in SHAPES:
        table.add_row(*reading(shape))
    beams = Table("N, T, C", "peak", "width", "cut", "beam/s", "× greedy")
    for shape in SHAPES:
        for peak, width, cut in SEARCHES:
            beams.add_row(*searching(shape, peak, width, cut))
    Console().print(table, beams)


if __name__ == "__main__":
    main()
