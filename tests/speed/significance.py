"""Intervals and tests of a row, beside a naive loop of resamples and scipy.stats.bootstrap.

`nox -s speed -- significance` prints two tables. All calls of a table take turns, so that a
machine that slows down slows them alike. The file is not called statistics: as a script's
neighbour it would hide the standard library's from the other tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from bench.evaluation.statistics.averages import compare_entries
from bench.evaluation.statistics.sample_errors import (
    SampleErrors,
    SetErrors,
    sample_errors,
    set_errors,
)
from bench.evaluation.statistics.significance import (
    compare_rows,
    p_value,
    rank_intervals,
    rate_interval,
    rate_intervals,
)

SAMPLES, SEEDS, DRAWS = 3000, 5, 10_000
ROWS = 20
ROUNDS = 5
BOARD = (3000, 647, 1015, 2077, 645, 288)
"""Samples of six test sets: those of scene text."""
LARGE = (891_927,)
"""Samples of MJSynth's test split."""
AT_MOST = 2.0
"""Seconds of one interval."""


def rows(count: int) -> list[SampleErrors]:
    """Return rows of words of up to twelve letters, of which about 5 % of letters are wrong."""
    rng = np.random.default_rng(0)
    ids = [f"{number:06}" for number in range(SAMPLES)]
    lengths = rng.integers(1, 13, SAMPLES)
    mean = 0.05 * lengths * rng.gamma(0.5, 2, SAMPLES)
    return [
        sample_errors(ids, lengths, rng.poisson(mean * (1 + place / 50), (SEEDS, SAMPLES)))
        for place in range(count)
    ]


def board(sizes: tuple[int, ...], count: int) -> list[SetErrors]:
    """Return `count` rows of three seeds on test sets of words."""
    rng = np.random.default_rng(0)
    tests = []
    for samples in sizes:
        lengths = rng.integers(1, 13, samples)
        mean = 0.05 * lengths * rng.gamma(0.5, 2, samples)
        errors = [rng.poisson(mean * (1 + place / 50), (3, samples)) for place in range(count)]
        tests.append(set_errors(lengths, errors))
    return tests


def naive(row: SampleErrors) -> tuple[float, float]:
    """Return a percentile interval by a loop that resamples indexes of seeds and of samples."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        samples = rng.integers(0, SAMPLES, SAMPLES)
        seeds = rng.integers(0, SEEDS, SEEDS)
        edits = np.take(np.take(row.errors, seeds, axis=0), samples, axis=1)
        found.append(edits.sum() / (SEEDS * np.take(row.denominators, samples).sum()))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def scipys(row: SampleErrors) -> object:
    """Return scipy's interval, of samples alone, for it knows no seeds."""
    return stats.bootstrap(
        (row.errors.mean(axis=0), row.denominators),
        lambda edits, lengths, axis=-1: edits.sum(axis) / lengths.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=100,
        rng=0,
    )


def best(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the seconds of each call, the least of `rounds`."""
    seconds = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


def main() -> None:
    """Print the tables."""
    several = rows(ROWS)
    first, second = several[:2]
    taken = best(
        {
            f"interval (at most {AT_MOST:g} s)": lambda: rate_interval(first),
            "naive loop": lambda: naive(first),
            "scipy.stats.bootstrap": lambda: scipys(first),
        },
        ROUNDS,
    )
    table = Table(
        "", "s", "× interval", title=f"{DRAWS:,} draws of {SAMPLES:,} samples × {SEEDS} seeds"
    )
    ours = next(iter(taken.values()))
    for name, seconds in taken.items():
        table.add_row(name, f"{seconds:.2f}", f"{seconds / ours:.1f}")
    others = best(
        {
            f"intervals of {ROWS} rows": lambda: rate_intervals(several),
            "compare": lambda: compare_rows(first, second),
            "p_value": lambda: p_value(first, second),
            f"rank_intervals of {ROWS} rows": lambda: rank_intervals(several),
        },
        ROUNDS,
    )
    tests, large = board(BOARD, 60), board(LARGE, 9)
    others |= best(
        {
            "compare_entries, 60 rows × 3 seeds × 6 sets": lambda: compare_entries(
                tests, "weighted"
            ),
            "compare_entries, 9 rows × 3 seeds × 891,927 samples": lambda: compare_entries(
                large, "weighted"
            ),
        },
        1,
    )
    more = Table("", "s")
    for name, seconds in others.items():
        more.add_row(name, f"{seconds:.3f}")
    Console().print(table, more)


if __name__ == "__main__":
    main()
