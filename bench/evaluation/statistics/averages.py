"""Averages over test sets: confidence intervals, and rank intervals from tests of all pairs.

In the statistical model, test sets are fixed, and samples and seeds are random. `bench docs
statistics` has the formulas, the assumptions and the measured coverage.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtri

from bench.core.errors import BenchError
from bench.evaluation.statistics.confidence import (
    DRAWS,
    Interval,
    bootstrap_deviations,
    confidence_interval,
)
from bench.evaluation.statistics.resampling import Floats, normal_deviates
from bench.evaluation.statistics.sample_errors import SampleErrors, SetErrors
from bench.evaluation.statistics.significance import (
    RankInterval,
    rank_intervals,
    ranks_from_differences,
    rate_estimate,
)
from bench.evaluation.statistics.variance import (
    EstimatedVariance,
    SeedVariance,
    Variance,
    combine_variances,
    mean_residuals,
    variance_of_average,
    variance_of_samples,
    variance_of_seeds,
)

DRAWS_AT_ONCE = 128
"""Draws that are processed together: few enough that their arrays stay in the cache."""
Average = Literal["weighted", "mean"]
TIE = 1e-12
"""Averages that differ by less are equal: the difference is due to rounding."""


@dataclass(frozen=True)
class EntryStatistics:
    """The statistics of one row over T test sets.

    Attributes:
        sets: The confidence interval of the rate on each test set.
        weighted: The confidence interval of the average weighted by numbers of samples.
        mean: The confidence interval of the plain mean over test sets.
        rank_interval: The possible ranks of the row by the ranking average; None if nothing is
            ranked.
        leave_one_out: The best and the worst measured rank when one test set is left out; None
            with a single test set, or if nothing is ranked.
    """

    sets: tuple[Interval, ...]
    weighted: Interval
    mean: Interval
    rank_interval: RankInterval | None
    leave_one_out: tuple[int, int] | None


class _Pair(NamedTuple):
    """The difference of the averages of two rows.

    Attributes:
        first: Index of the first row.
        second: Index of the second row.
        mixed: Variance over samples of the difference of means over seeds. It includes a part of
            the variance over seeds.
        variance: Variance of the difference.
        seed_deviations: Standard deviations due to the seeds of each row.
    """

    first: int
    second: int
    mixed: EstimatedVariance
    variance: Variance
    seed_deviations: tuple[float, float]


def compare_entries(
    sets: Sequence[SetErrors],
    average: Average | None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[EntryStatistics]:
    """Return confidence intervals and rank intervals of all rows, in their order.

    With one test set, exact paired tests determine the ranks (`significance.rank_intervals`). With
    several, the distribution of the largest studentized difference of all pairs does.

    Args:
        sets: The errors of all rows on each test set.
        average: The average by which rows are ranked: "weighted" by numbers of samples, or the
            plain "mean". None ranks nothing, which saves the comparison of all pairs.
        level: Confidence level of the intervals, and of all rank intervals together.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap; test set t takes seed + t.

    Raises:
        BenchError: There is no test set, or test sets differ in their rows or seeds.
    """
    rows = _rows(sets)
    if not rows:
        return []
    noise = normal_deviates(draws, seed)
    drawn = [
        bootstrap_deviations(
            [rate_estimate([row[t]], [1]).ratios[0] for row in rows], draws, seed + t
        )
        for t in range(len(sets))
    ]

    def average_interval(row: int, tests: Sequence[int], weights: Sequence[float]) -> Interval:
        errors = [rows[row][t] for t in tests]
        shifts = sum(weight * drawn[t][row] for t, weight in zip(tests, weights, strict=True))
        return confidence_interval(
            rate_estimate(errors, weights),
            variance_of_average(errors, weights),
            np.asarray(shifts),
            noise,
            level,
        )

    all_tests = range(len(sets))
    cells = [tuple(average_interval(i, [t], [1]) for t in all_tests) for i in range(len(rows))]
    averages: dict[Average, list[Interval]] = {
        name: [
            cells[i][0]
            if len(sets) == 1
            else average_interval(i, all_tests, average_weights(sets, name))
            for i in range(len(rows))
        ]
        for name in ("weighted", "mean")
    }
    ranks: Sequence[RankInterval | None] = [None for _ in rows]
    left_out: Sequence[tuple[int, int] | None] = [None for _ in rows]
    if average and len(sets) == 1:
        ranks = rank_intervals([row[0] for row in rows], 1 - level)
    elif average:
        ranks = _ranks_of_averages(rows, average_weights(sets, average), drawn, 1 - level, seed)
        left_out = leave_one_out_ranks(sets, average)
    columns = (cells, averages["weighted"], averages["mean"], ranks, left_out)
    return [EntryStatistics(*values) for values in zip(*columns, strict=True)]


def average_weights(sets: Sequence[SetErrors], average: Average) -> list[float]:
    """Return the weight of each test set in an average; the weights add up to 1."""
    return average_weights_from_counts([len(test.denominators) for test in sets], average)


def average_weights_from_counts(samples: Sequence[int], average: Average) -> list[float]:
    """Return the weights of test sets in an average, given their numbers of samples."""
    counts = [count if average == "weighted" else 1 for count in samples]
    return [count / sum(counts) for count in counts]


def leave_one_out_ranks(
    sets: Sequence[SetErrors], average: Average
) -> list[tuple[int, int] | None]:
    """Return the best and the worst rank of each row over all choices of one left-out test set.

    The rank of a row is one more than the number of rows with a lower measured average. With a
    single test set, each value is None.

    Raises:
        BenchError: There is no test set, or test sets differ in their rows or seeds.
    """
    rows = _rows(sets)
    if len(sets) == 1 or not rows:
        return [None for _ in rows]
    rates = np.array([[test.rate for test in row] for row in rows])
    ranks = []
    for left_out in range(len(sets)):
        others = [t for t in range(len(sets)) if t != left_out]
        averages = rates[:, others] @ average_weights([sets[t] for t in others], average)
        ranks.append(1 + (averages[None, :] < averages[:, None] - TIE).sum(axis=1))
    return [(int(column.min()), int(column.max())) for column in np.array(ranks).T]


def _rows(sets: Sequence[SetErrors]) -> list[list[SampleErrors]]:
    """Return the errors of each row on each test set.

    Raises:
        BenchError: There is no test set, or test sets differ in their rows or seeds.
    """
    if not sets:
        raise BenchError("no test set to average over")
    seeds = [[len(errors) for errors in test.errors] for test in sets]
    for index, other in enumerate(seeds):
        if other != seeds[0]:
            raise BenchError(
                f"every row needs the same seeds on every test set: test set {index + 1} has "
                f"{other} seeds per row, the first has {seeds[0]}; leave out incomplete rows"
            )
    return [[test.row(index) for test in sets] for index in range(len(seeds[0]))]


def _ranks_of_averages(
    rows: Sequence[Sequence[SampleErrors]],
    weights: Sequence[float],
    drawn: Sequence[Floats],
    alpha: float,
    seed: int,
) -> list[RankInterval]:
    """Return rank intervals by the single-step max-|t| test of all pairs.

    Two rows differ if their |t| exceeds the (1 - alpha) quantile of the largest |t| of all pairs
    over the draws, in which all rows share the resampled samples. They must also differ if the
    trained models are regarded as fixed, because a few seeds may agree by chance.
    """
    averages = [rate_estimate(row, weights).value for row in rows]
    pairs = _pairs(rows, weights)
    shifts = np.asarray(sum(weight * part for weight, part in zip(weights, drawn, strict=True)))
    noise = _noise_of_rows(rows, weights, shifts.shape[1], seed)
    limit = max(_quantile_of_largest(pairs, shifts, noise, alpha), float(ndtri(1 - alpha / 2)))
    unit = _variance_of_constant(rows[0], weights)
    different = []
    for pair in pairs:
        difference = averages[pair.first] - averages[pair.second]
        if abs(difference) <= limit * math.sqrt(pair.variance.total):
            continue  # Quantiles of estimated variances are at least the normal ones.
        constant = difference**2 * unit
        if abs(difference) > max(
            TIE,
            _critical_difference(pair.variance, constant, limit),
            _critical_difference(Variance(pair.mixed), constant, limit),
        ):
            order = (pair.first, pair.second)
            different.append(order if difference < 0 else order[::-1])
    return ranks_from_differences(len(rows), different)


def _critical_difference(variance: Variance, constant: float, limit: float) -> float:
    """Return the critical difference at `limit` normal deviates, with a larger sample variance."""
    samples = replace(variance.samples, value=variance.samples.value + constant)
    equal = replace(variance, samples=samples)
    return equal.quantile(limit) * math.sqrt(equal.total)


def _variance_of_constant(row: Sequence[SampleErrors], weights: Sequence[float]) -> float:
    """Return the variance of an average that differs from 0 by 1 on each unit of denominators.

    If two rows are equal, the square of their measured difference is part of its variance. This
    bounds |t|, so that a few samples that all favor one row are not significant.
    """
    return sum(
        float((test.denominators.astype(np.float64) ** 2).sum())
        * (weight / float(test.denominators.sum())) ** 2
        for test, weight in zip(row, weights, strict=True)
    )


def _pairs(rows: Sequence[Sequence[SampleErrors]], weights: Sequence[float]) -> list[_Pair]:
    """Return the differences of all pairs of rows, with their variances."""
    residuals = [[mean_residuals(test) for test in row] for row in rows]
    seeds = [variance_of_seeds(row, weights) for row in rows]
    pairs = []
    for first, second in itertools.combinations(range(len(rows)), 2):
        between = [a - b for a, b in zip(residuals[first], residuals[second], strict=True)]
        below = [test.denominators for test in rows[first]]
        mixed = variance_of_samples(between, below, weights)
        both = (seeds[first], seeds[second])
        pairs.append(
            _Pair(first, second, mixed, combine_variances(mixed, both), _seed_deviations(*both))
        )
    return pairs


def _seed_deviations(
    first: SeedVariance | None, second: SeedVariance | None
) -> tuple[float, float]:
    """Return the standard deviations due to seeds; a row with one seed gets that of the other."""
    either = first or second
    if either is None:
        return 0, 0
    a, b = (math.sqrt(row.scores / row.count if row else either.scores) for row in (first, second))
    return a, b


def _noise_of_rows(
    rows: Sequence[Sequence[SampleErrors]], weights: Sequence[float], draws: int, seed: int
) -> Floats:
    """Return the normal deviates of each row's seeds, (rows, draws).

    They are assigned in an order that depends neither on the order of the rows nor on their
    averages. So ranks do not depend on the order of the rows, and a row whose errors all increase
    by the same number keeps its deviates.
    """
    noise = normal_deviates(draws * len(rows), seed).reshape(len(rows), draws)
    keys = []
    for row in rows:
        totals = [[int(total) for total in test.errors.sum(axis=1)] for test in row]
        differences = [total - seeds[0] for seeds in totals for total in seeds]
        keys.append((differences, variance_of_average(row, weights).samples.value))
    order = sorted(range(len(rows)), key=keys.__getitem__)
    assigned = np.empty_like(noise)
    assigned[order] = noise
    return assigned


def _quantile_of_largest(
    pairs: Sequence[_Pair], shifts: Floats, noise: Floats, alpha: float
) -> float:
    """Return the (1 - alpha) quantile of the largest |t| of all pairs; 0 if no pair varies."""
    factors = np.array([_factors(pair) for pair in pairs]).reshape(-1, 3, 1)
    rows, draws = shifts.shape
    largest = np.zeros(draws)
    # All pairs of a row at once, for as many draws as stay in the cache.
    for start in range(0, draws, DRAWS_AT_ONCE):
        part = slice(start, start + DRAWS_AT_ONCE)
        block, seeds = shifts[:, part].copy(), noise[:, part].copy()
        done = 0
        for first in range(rows - 1):
            others = factors[done : done + rows - first - 1]
            done += len(others)
            change = (block[first] - block[first + 1 :]) * others[:, 0]
            change += seeds[first] * others[:, 1]
            change -= seeds[first + 1 :] * others[:, 2]
            np.abs(change, out=change)
            np.maximum(largest[part], change.max(axis=0), out=largest[part])
    return float(np.quantile(largest, 1 - alpha, method="higher"))


def _factors(pair: _Pair) -> tuple[float, float, float]:
    """Return the factors of the shifts and of the deviates of both rows in the t of a pair."""
    if not pair.variance.total:
        return 0, 0, 0
    scale = 1 / math.sqrt(pair.variance.total)
    mixed = pair.mixed.value
    shrink = math.sqrt(pair.variance.samples.value / mixed) if mixed else 0.0
    first, second = pair.seed_deviations
    return shrink * scale, first * scale, second * scale
