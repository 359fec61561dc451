"""Confidence intervals, paired tests and rank intervals of rows on one test set.

All metrics have the same estimator: summed errors divided by summed denominators, averaged over
seeds. `bench docs statistics` has the model, its reasons and its measured coverage. The module
`averages` is for several test sets.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from bench.core.errors import BenchError
from bench.evaluation.statistics.confidence import (
    DRAWS,
    Estimate,
    Interval,
    Ratio,
    bootstrap_deviations,
    confidence_interval,
)
from bench.evaluation.statistics.resampling import Floats, normal_deviates, sign_sums
from bench.evaluation.statistics.sample_errors import SampleErrors, require_same_samples
from bench.evaluation.statistics.variance import (
    EstimatedVariance,
    Variance,
    variance_of_difference,
    variance_of_rate,
)


@dataclass(frozen=True)
class Comparison:
    """The comparison of two rows on the same samples.

    Attributes:
        difference: The rate of the first row minus that of the second.
        low: The lower end of the confidence interval of the difference.
        high: The upper end of the confidence interval of the difference.
        p: The two-sided p-value: the probability of a difference at least as large if both rows
            are equal.
        detectable: The smallest difference that is significant at 5 % with a probability of 80 %.
    """

    difference: float
    low: float
    high: float
    p: float
    detectable: float


class RankInterval(NamedTuple):
    """The ranks that a row may have; one rank if all other rows are significantly different.

    Attributes:
        best: The best possible rank, from 1.
        worst: The worst possible rank.
    """

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


def rate_intervals(
    rows: Sequence[SampleErrors], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> list[Interval]:
    """Return the confidence interval of the rate of each row, over samples and seeds.

    With one seed, the interval is over samples alone: it is that of the trained model. The rows
    share their bootstrap draws; an interval does not depend on the other rows.

    Args:
        rows: The errors of each row on one test set.
        level: Confidence level.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap.

    Raises:
        BenchError: The rows have different numbers of samples.
    """
    if not rows:
        return []
    if len({len(row.denominators) for row in rows}) > 1:
        raise BenchError(
            "rows with different numbers of samples cannot share draws; call once per test set"
        )
    estimates = [rate_estimate([row], [1]) for row in rows]
    drawn = bootstrap_deviations([estimate.ratios[0] for estimate in estimates], draws, seed)
    noise = normal_deviates(draws, seed)
    return [
        confidence_interval(estimate, variance_of_rate(row), shifts, noise, level)
        for estimate, row, shifts in zip(estimates, rows, drawn, strict=True)
    ]


def rate_interval(
    row: SampleErrors, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the confidence interval of the rate of one row, see `rate_intervals`."""
    return rate_intervals([row], level, draws, seed)[0]


def rate_estimate(tests: Sequence[SampleErrors], weights: Sequence[float]) -> Estimate:
    """Return the weighted average of the rates of one row on T test sets."""
    ratios = tuple(
        Ratio(row.errors.sum(axis=0), row.denominators, len(row.errors)) for row in tests
    )
    bounds = (min(row.min_rate for row in tests), max(row.max_rate for row in tests))
    return Estimate(ratios, tuple(weights), bounds)


def compare_rows(
    a: SampleErrors, b: SampleErrors, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Compare two rows by the rate of `a` minus that of `b`, which is negative if `a` is better.

    Args:
        a: The errors of the first row.
        b: The errors of the second row.
        level: Confidence level of the interval.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap.

    Raises:
        BenchError: The rows have different samples.
    """
    require_same_samples(a, b)
    (drawn,) = bootstrap_deviations([_difference(a, b)], draws, seed)
    return compare_drawn(a, b, drawn, normal_deviates(draws, seed), level)


def compare_drawn(
    a: SampleErrors, b: SampleErrors, drawn: Floats, noise: Floats, level: float
) -> Comparison:
    """Compare two rows with the same samples as `compare_rows` does, with given random draws.

    Args:
        a: The errors of the first row.
        b: The errors of the second row.
        drawn: Deviations of the difference over bootstrap draws, (draws,).
        noise: Normal deviates, (draws,).
        level: Confidence level of the interval.
    """
    pair, equal = _difference(a, b), variance_of_difference(a, b)
    limit = max(row.max_rate - row.min_rate for row in (a, b))
    estimate = Estimate((pair,), (1,), (-limit, limit))
    variance = variance_of_difference(a, b, pair.value)
    interval = confidence_interval(estimate, variance, drawn, noise, level)
    p, detectable = _p_value(pair, equal), _detectable_difference(equal)
    return Comparison(pair.value, interval.low, interval.high, p, detectable)


def p_value(a: SampleErrors, b: SampleErrors) -> float:
    """Return the two-sided p-value of the difference between two rows.

    With one seed each, this is the exact sign-flip test: if both rows are equal, each sample on
    which they differ favors either with the same probability. For sequence errors it is McNemar's
    exact test. With several seeds, a normal deviate with the estimated variance of the seeds is
    added.

    Raises:
        BenchError: The rows have different samples.
    """
    require_same_samples(a, b)
    return _p_value(_difference(a, b), variance_of_difference(a, b))


def holm_adjusted(probabilities: Sequence[float]) -> list[float]:
    """Return p-values adjusted for multiple tests.

    If all adjusted p-values below a level are called significant, the probability of at least one
    false rejection is at most this level.

    Source: Holm, Scand. J. Statist. 6 (1979).
    """
    order = np.argsort(probabilities, kind="stable")
    remaining = np.arange(len(order), 0, -1)
    stepped = np.maximum.accumulate(remaining * np.asarray(probabilities, dtype=np.float64)[order])
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()


def rank_intervals(rows: Sequence[SampleErrors], alpha: float = 0.05) -> list[RankInterval]:
    """Return the rank interval of each row on one test set.

    All pairs are tested, and their p-values adjusted together (`holm_adjusted`). The best rank of a
    row is one more than the number of significantly better rows. The worst rank is the number of
    rows minus the number of significantly worse ones.

    Raises:
        BenchError: The rows have different samples.
    """
    pairs = list(itertools.combinations(range(len(rows)), 2))
    adjusted = holm_adjusted([p_value(rows[i], rows[j]) for i, j in pairs])
    rates = [row.rate for row in rows]
    return ranks_from_differences(
        len(rows),
        [
            (i, j) if rates[i] < rates[j] else (j, i)
            for (i, j), p in zip(pairs, adjusted, strict=True)
            if p < alpha
        ],
    )


def ranks_from_differences(rows: int, different: Sequence[tuple[int, int]]) -> list[RankInterval]:
    """Return the rank intervals of so many rows.

    Args:
        rows: The number of rows.
        different: The pairs (index of the better row, index of the worse row) that differ
            significantly.
    """
    best, worst = [1] * rows, [rows] * rows
    for better, other in different:
        worst[better] -= 1
        best[other] += 1
    return [RankInterval(*ranks) for ranks in zip(best, worst, strict=True)]


def detectable_difference(
    samples: int, deviation: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the smallest difference of two rates that is significant with probability `power`.

    It is (z(1 - alpha / 2) + z(power)) · deviation / √samples. For two given rows, `compare_rows`
    returns it with the variance of their seeds included.

    Args:
        samples: The number of samples.
        deviation: The standard deviation of the paired differences of samples, divided by the mean
            denominator. For accuracy it is the square root of the share of samples that only one
            of the rows reads correctly, so at most 1.
        alpha: The significance level of the two-sided test.
        power: The probability that the test finds the difference.

    Raises:
        BenchError: A value is out of range.

    Source: Cohen, Statistical Power Analysis (1988).
    """
    if samples < 1 or deviation < 0 or not 0 < alpha < 1 or not 0 < power < 1:
        raise BenchError(
            "a detectable difference requires at least one sample, a deviation of at least 0, and "
            "alpha and power between 0 and 1"
        )
    return _detectable_difference(Variance(EstimatedVariance(deviation**2 / samples)), alpha, power)


def _detectable_difference(variance: Variance, alpha: float = 0.05, power: float = 0.8) -> float:
    quantiles = variance.quantile(float(ndtri(1 - alpha / 2))) + variance.quantile(
        float(ndtri(power))
    )
    return quantiles * math.sqrt(variance.total)


def _difference(a: SampleErrors, b: SampleErrors) -> Ratio:
    """Return the difference of the rates of two rows as one ratio of integers."""
    scale = math.lcm(len(a.errors), len(b.errors))
    first = a.errors.sum(axis=0) * (scale // len(a.errors))
    second = b.errors.sum(axis=0) * (scale // len(b.errors))
    return Ratio(first - second, a.denominators, scale)


def _p_value(pair: Ratio, variance: Variance) -> float:
    difference = abs(int(pair.numerators.sum()))
    if not difference:
        return 1.0
    sums = sign_sums(np.abs(pair.numerators))
    if not variance.of_seeds:
        # Half a step lower, because rounded weights give sums that are not integers.
        beyond = sums.probabilities[np.abs(sums.values) >= difference - 0.5]
        return min(1, float(beyond.sum()))
    unit = pair.scale * int(pair.denominators.sum())
    total = math.sqrt(variance.total)
    threshold = variance.normal_deviate(difference / unit / total) * total
    mixed = math.sqrt(float((pair.numerators.astype(np.float64) ** 2).sum())) / unit
    values = sums.values / unit * math.sqrt(variance.samples.value) / mixed
    deviation = math.sqrt(variance.of_seeds)
    tails = ndtr((values - threshold) / deviation) + ndtr((-values - threshold) / deviation)
    return min(1, float(sums.probabilities @ tails))
