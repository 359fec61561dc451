"""Paired comparison of rows by an average over test sets: confidence interval and p-value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from bench.evaluation.statistics.confidence import (
    DRAWS,
    Estimate,
    Ratio,
    confidence_interval,
)
from bench.evaluation.statistics.resampling import (
    Floats,
    Integers,
    normal_deviates,
    resampled_sums,
)
from bench.evaluation.statistics.sample_errors import SampleErrors, require_same_samples
from bench.evaluation.statistics.significance import Comparison, compare_drawn
from bench.evaluation.statistics.variance import (
    SeedVariance,
    Variance,
    combine_variances,
    mean_residuals,
    variance_of_samples,
    variance_of_seeds,
)


class PairedRows(NamedTuple):
    """The comparison of two rows.

    Attributes:
        first: The index of the first row.
        second: The index of the second row.
        compared: The average rate of the second row minus that of the first.
    """

    first: int
    second: int
    compared: Comparison


@dataclass(frozen=True, eq=False)
class _Row:
    """Values of a row that all of its pairs use.

    Attributes:
        tests: The errors on each test set.
        totals: The errors summed over seeds, (N,) per test set.
        sums: The sums of `totals` in each draw, (draws,) per test set.
        residuals: The mean residuals on each test set.
        seeds: The variance between seeds; None with a single seed.
    """

    tests: Sequence[SampleErrors]
    totals: list[Integers]
    sums: list[Floats]
    residuals: list[Floats]
    seeds: SeedVariance | None


@dataclass(frozen=True, eq=False)
class _Draws:
    """Random draws that all pairs share.

    Attributes:
        below: The sums of denominators in each draw, (draws,) per test set.
        noise: Normal deviates, (draws,).
    """

    below: list[Floats]
    noise: Floats


def compare_averages(
    a: Sequence[SampleErrors],
    b: Sequence[SampleErrors],
    weights: Sequence[float],
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two rows: the difference is the average rate of `a` minus that of `b`.

    The arguments and errors are those of `compare_pairs`.
    """
    return compare_pairs([b, a], weights, level, draws, seed)[0].compared


def compare_pairs(
    rows: Sequence[Sequence[SampleErrors]],
    weights: Sequence[float],
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[PairedRows]:
    """Compare all pairs of rows; the result of a pair does not depend on the other rows.

    With one test set this is `significance.compare_rows`. With several, the studentized difference
    is regarded as Student's t.

    Args:
        rows: The errors of each row on each test set, with the same seeds on all of them.
        weights: The weight of each test set; the weights add up to 1.
        level: Confidence level of the interval.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap; test set t takes seed + t.

    Raises:
        BenchError: The rows have different samples.
    """
    for row in rows[1:]:
        for first, second in zip(rows[0], row, strict=True):
            require_same_samples(first, second)
    totals = [[test.errors.sum(axis=0) for test in row] for row in rows]
    below, above = [], []
    for t, test in enumerate(rows[0]):
        columns = np.stack([test.denominators, *(each[t] for each in totals)], axis=1)
        sums = resampled_sums(columns, draws, seed + t).T
        below.append(sums[0])
        above.append(sums[1:])
    shared = _Draws(below, normal_deviates(draws, seed))
    prepared = [
        _Row(
            row,
            totals[index],
            [sums[index] for sums in above],
            [mean_residuals(test) for test in row],
            variance_of_seeds(row, weights),
        )
        for index, row in enumerate(rows)
    ]
    return [
        PairedRows(i, j, _comparison(prepared[j], prepared[i], weights, shared, level))
        for i, j in itertools.combinations(range(len(rows)), 2)
    ]


def _comparison(
    a: _Row, b: _Row, weights: Sequence[float], shared: _Draws, level: float
) -> Comparison:
    scale = math.lcm(len(a.tests[0].errors), len(b.tests[0].errors))
    factor_a, factor_b = (scale // len(row.tests[0].errors) for row in (a, b))
    ratios = [
        Ratio(errors_a * factor_a - errors_b * factor_b, test.denominators, scale)
        for errors_a, errors_b, test in zip(a.totals, b.totals, a.tests, strict=True)
    ]
    # Sums of integers are exact: in a draw in which both rows are equal, the difference is 0.
    drawn = [
        (sums_a * factor_a - sums_b * factor_b) / (below * scale) - ratio.value
        for sums_a, sums_b, below, ratio in zip(a.sums, b.sums, shared.below, ratios, strict=True)
    ]
    if len(ratios) == 1:
        return compare_drawn(a.tests[0], b.tests[0], drawn[0], shared.noise, level)
    limit = max(row.max_rate - row.min_rate for row in (*a.tests, *b.tests))
    estimate = Estimate(tuple(ratios), tuple(weights), (-limit, limit))
    shifts = np.asarray(sum(weight * each for weight, each in zip(weights, drawn, strict=True)))
    residuals = [of_a - of_b for of_a, of_b in zip(a.residuals, b.residuals, strict=True)]
    below = [test.denominators for test in a.tests]
    mixed = variance_of_samples(residuals, below, weights)
    variance = combine_variances(mixed, (a.seeds, b.seeds))
    interval = confidence_interval(estimate, variance, shifts, shared.noise, level)
    equal = _variance_under_equality(variance, estimate)
    p, detectable = _p_value(estimate, equal), _detectable_difference(equal)
    return Comparison(estimate.value, interval.low, interval.high, p, detectable)


def _variance_under_equality(variance: Variance, estimate: Estimate) -> Variance:
    """Return the variance of the difference if its expectation is 0."""
    unit = sum(
        (weight / float(ratio.denominators.sum())) ** 2
        * float((ratio.denominators.astype(np.float64) ** 2).sum())
        for ratio, weight in zip(estimate.ratios, estimate.weights, strict=True)
    )
    value = variance.samples.value + estimate.value**2 * unit
    return replace(variance, samples=replace(variance.samples, value=value))


def _p_value(estimate: Estimate, variance: Variance) -> float:
    if not estimate.value or not variance.total:
        return 1.0
    z = variance.normal_deviate(abs(estimate.value) / math.sqrt(variance.total))
    return float(min(1.0, 2 * ndtr(-z)))


def _detectable_difference(variance: Variance, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the difference that is significant at `alpha` with probability `power`."""
    quantiles = variance.quantile(float(ndtri(1 - alpha / 2))) + variance.quantile(
        float(ndtri(power))
    )
    return quantiles * math.sqrt(variance.total)
