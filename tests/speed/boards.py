"""The board of `scene-text` at full size: its files, one bootstrap draw, and `bench board --check`.

`nox -s speed -- boards` makes nine rows of three seeds on six test sets, of which one has 891,927
samples, in a temporary folder. Errors agree between rows as those of trained networks do: what is
hard for one is hard for others, and seeds of a row agree more.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.evaluation.statistics.resampling import resampled_sums
from bench.leaderboards import board_files, ranking, rebuild
from bench.leaderboards.board import Board, BoardColumn
from bench.leaderboards.samples.column_counts import ColumnCounts
from tests.references.synthetic_boards import ACCURACY, CER, synthetic_board

SIZES = {
    "synth90k": 891_927,
    "iiit5k": 3000,
    "svt": 647,
    "ic03-867": 867,
    "ic13-1015": 1015,
    "ic15-2077": 2077,
}
NED = replace(ACCURACY, name="one-minus-ned", title="1 - NED")
CCR = replace(ACCURACY, name="ccr", title="CCR")
MAX_BYTES, MAX_SECONDS = 10 * 10**6, 30
DRAWS, PLAIN_DRAWS = 500, 5


def counts_of(name: str, board: Board, numbers: np.random.Generator) -> ColumnCounts:
    """Return what 27 evaluations count on a test set, by the four metrics of scene text."""
    samples = SIZES[name]
    lengths = numbers.integers(1, 15, samples)
    hardness = numbers.normal(0, 1.5, samples) + (lengths - 7) / 10
    below = {
        ACCURACY.name: np.ones(samples, int),
        CER.name: lengths,
        NED.name: np.full(samples, 10**6),
        CCR.name: lengths,
    }
    above: dict[str, dict[str, np.ndarray]] = {metric: {} for metric in below}
    for place, row in enumerate(board.rows):
        shared = 2 + 0.15 * place + numbers.logistic(0, 0.35, samples) - hardness
        for result in row.seeds:
            key = result.evaluations[name]
            wrong = shared + numbers.logistic(0, 0.35, samples) < 0
            edits = np.minimum(1 + numbers.poisson(0.7, samples), lengths) * wrong
            longest = np.maximum(lengths + numbers.integers(-1, 2, samples) * wrong, edits).clip(1)
            above[ACCURACY.name][key] = 1 - wrong
            above[CER.name][key] = edits
            above[NED.name][key] = 10**6 - np.rint(10**6 * edits / longest).astype(int)
            above[CCR.name][key] = lengths - edits
    cases = numbers.choice(["lower case", "upper case", "capitalized"], samples)
    return ColumnCounts.build([f"{n:08}" for n in range(samples)], below, above, {"case": cases})


def full_board() -> tuple[Board, dict[str, ColumnCounts]]:
    """Return the board without scores, and its counts."""
    numbers = np.random.default_rng(0)
    small, _ = synthetic_board(rows=12, tests=6, samples=20, seeds=3)
    rows = [row for row in small.rows if row.origin == "trained"][:9]
    renamed = dict(zip(small.column_names, SIZES, strict=True))
    rows = [
        replace(
            row,
            seeds=[
                replace(
                    result,
                    evaluations={renamed[name]: key for name, key in result.evaluations.items()},
                )
                for result in row.seeds
            ],
            speed={},
        )
        for row in rows
    ]
    board = replace(
        small,
        suite="scene-text",
        metrics=[ACCURACY, CER, NED, CCR],
        columns=[BoardColumn(name, name, samples) for name, samples in SIZES.items()],
        rows=rows,
    )
    return board, {name: counts_of(name, board, numbers) for name in SIZES}


def plain_draws(columns: np.ndarray, draws: int) -> None:
    """Draw each sample by its number, without groups: what `resampled_sums` does of few samples."""
    numbers = np.random.default_rng(0)
    for _ in range(draws):
        chosen = np.bincount(
            numbers.integers(0, len(columns), len(columns)), minlength=len(columns)
        )
        chosen.astype(float) @ columns


def milliseconds(samples: int) -> tuple[float, float]:
    """Return the time of one draw of ten columns: in groups, and sample by sample."""
    columns = np.random.default_rng(0).integers(0, 9, (samples, 10))
    began = time.perf_counter()
    resampled_sums(columns, DRAWS, 0)
    grouped = (time.perf_counter() - began) / DRAWS
    floats = columns.astype(float)
    began = time.perf_counter()
    plain_draws(floats, PLAIN_DRAWS)
    return 1000 * grouped, 1000 * (time.perf_counter() - began) / PLAIN_DRAWS


def main() -> None:
    table = Table("samples", "a draw", "sample by sample", "ratio")
    for samples in (10_000, 20_000, 40_000, 200_000, 891_927):
        grouped, plain = milliseconds(samples)
        table.add_row(
            f"{samples:,}", f"{grouped:.2f} ms", f"{plain:.2f} ms", f"{plain / grouped:.0f}"
        )
    console = Console()
    console.print(table)
    board, counts = full_board()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "scene-text" / "v1"
        began = time.perf_counter()
        scored = ranking.with_scores(board, counts)
        console.print(f"scored in {time.perf_counter() - began:.1f} s")
        board_files.write_board(scored, counts, folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        console.print(f"its folder has {size / 1e6:.2f} MB (at most {MAX_BYTES / 1e6:.0f})")
        began = time.perf_counter()
        rebuild.check_board(folder)
        seconds = time.perf_counter() - began
        console.print(f"board --check takes {seconds:.1f} s (at most {MAX_SECONDS})")
    if size > MAX_BYTES or seconds > MAX_SECONDS:
        raise SystemExit("the board of scene-text is too large or too slow to check")


if __name__ == "__main__":
    main()
