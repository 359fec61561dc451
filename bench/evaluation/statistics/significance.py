"""Intervals, paired tests and rank intervals of rows on one test set.

One estimator serves every metric: the ratio of summed errors and denominators, averaged over
seeds. `bench docs statistics` has the model, its reasons and the measurements; several test sets
are in `averages`.
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
    """Two rows on the same samples.

    Attributes:
        difference: The rate of the first row less that of the second.
        low: Lower end of its confidence interval.
        high: Upper end of its confidence interval.
        p: Two-sided probability of a difference at least as large if both rows were equal.
        detectable: The difference that such rows would show with a probability of 80 %.
    """

    difference: float
    low: float
    high: float
    p: float
    detectable: float


class RankInterval(NamedTuple):
    """The best and the worst rank that a row may have; equal where no other row is as good."""

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


def rate_intervals(
    rows: Sequence[SampleErrors], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> list[Interval]:
    """Return the interval of each row's rate on one test set, over samples and seeds together.

    A row of one seed has the interval of the model that this seed trained, as one training tells
    nothing about others. The rows share their draws; no interval depends on the other rows.

    Raises:
        BenchError: The rows have different numbers of samples.
    """
    if not rows:
        return []
    if len({len(row.denominators) for row in rows}) > 1:
        raise BenchError(
            "only rows with the same number of samples can share draws; call once per test set"
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
    """Return the interval of one row's rate, see `intervals`."""
    return rate_intervals([row], level, draws, seed)[0]


def rate_estimate(tests: Sequence[SampleErrors], weights: Sequence[float]) -> Estimate:
    """Return the weighted average of one row's rates on T test sets."""
    ratios = tuple(
        Ratio(row.errors.sum(axis=0), row.denominators, len(row.errors)) for row in tests
    )
    bounds = (min(row.min_rate for row in tests), max(row.max_rate for row in tests))
    return Estimate(ratios, tuple(weights), bounds)


def compare_rows(
    a: SampleErrors, b: SampleErrors, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Return how many more errors `a` makes than `b`; negative where `a` reads better.

    Raises:
        BenchError: The rows have different samples.
    """
    require_same_samples(a, b)
    (drawn,) = bootstrap_deviations([_difference(a, b)], draws, seed)
    return compare_drawn(a, b, drawn, normal_deviates(draws, seed), level)


def compare_drawn(
    a: SampleErrors, b: SampleErrors, drawn: Floats, noise: Floats, level: float
) -> Comparison:
    """Return what `compare` does, of rows of the same samples.

    Args:
        a: The one row.
        b: The other row.
        drawn: Deviations of the difference over resampled samples, (draws,).
        noise: Normal deviates, (draws,).
        level: Confidence level of the interval.
    """
    pair, equal = _difference(a, b), variance_of_difference(a, b)
    limit = max(row.max_rate - row.min_rate for row in (a, b))
    estimate = Estimate((pair,), (1,), (-limit, limit))
    variance = variance_of_difference(a, b, pair.value)
    around = confidence_interval(estimate, variance, drawn, noise, level)
    return Comparison(pair.value, around.low, around.high, _p(pair, equal), _detectable(equal))


def p_value(a: SampleErrors, b: SampleErrors) -> float:
    """Return the two-sided probability of a difference like that of `a` and `b` if both were equal.

    With one seed each, this is the exact sign-flip test: the samples at which the two differ are
    as likely to favor either. For sequence errors it is McNemar's exact test. With several seeds,
    their part is a normal deviate of estimated variance.

    Raises:
        BenchError: The rows have different samples.
    """
    require_same_samples(a, b)
    return _p(_difference(a, b), variance_of_difference(a, b))


def holm_adjusted(probabilities: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm, Scand. J. Statist. 6, 1979).

    The probability that any of those below a level is a false rejection is at most this level.
    """
    order = np.argsort(probabilities, kind="stable")
    left = np.arange(len(order), 0, -1)
    stepped = np.maximum.accumulate(left * np.asarray(probabilities, dtype=np.float64)[order])
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()


def rank_intervals(rows: Sequence[SampleErrors], alpha: float = 0.05) -> list[RankInterval]:
    """Return the ranks that each row may have on one test set, in the order of `rows`.

    All pairs are tested, with p-values corrected together (Holm). The best rank of a row is one
    more than the number of rows significantly better than it, the worst the number of rows less
    those significantly worse.

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
    """Return the rank intervals of `rows` rows, given pairs (better row, worse row)."""
    best, worst = [1] * rows, [rows] * rows
    for better, other in different:
        worst[better] -= 1
        best[other] += 1
    return [RankInterval(*ranks) for ranks in zip(best, worst, strict=True)]


def detectable_difference(
    samples: int, deviation: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the smallest difference of two rates found with probability `power` at level `alpha`.

    (z(1 - alpha / 2) + z(power)) · deviation / √samples, two-sided (Cohen, Statistical Power
    Analysis, 1988). For two rows at hand, `compare` has it with the part of their seeds.

    Args:
        samples: The number of samples.
        deviation: Standard deviation of the paired differences of a sample, over the mean
            denominator. For accuracy √(share of samples that only one of the rows reads), so at
            most 1.
        alpha: Significance level of the test.
        power: Probability of finding the difference.

    Raises:
        BenchError: A value is out of range.
    """
    if samples < 1 or deviation < 0 or not 0 < alpha < 1 or not 0 < power < 1:
        raise BenchError(
            "detectable needs at least one sample, a deviation of at least 0, "
            "and probabilities between 0 and 1"
        )
    return _detectable(Variance(EstimatedVariance(deviation**2 / samples)), alpha, power)


def _detectable(variance: Variance, alpha: float = 0.05, power: float = 0.8) -> float:
    reach = variance.quantile(float(ndtri(1 - alpha / 2))) + variance.quantile(float(ndtri(power)))
    return reach * math.sqrt(variance.total)


def _difference(a: SampleErrors, b: SampleErrors) -> Ratio:
    """Return the difference of two rows as one ratio of integers."""
    scale = math.lcm(len(a.errors), len(b.errors))
    first = a.errors.sum(axis=0) * (scale // len(a.errors))
    second = b.errors.sum(axis=0) * (scale // len(b.errors))
    return Ratio(first - second, a.denominators, scale)


def _p(pair: Ratio, variance: Variance) -> float:
    difference = abs(int(pair.numerators.sum()))
    if not difference:
        return 1.0
    sums = sign_sums(np.abs(pair.numerators))
    if not variance.of_seeds:
        # Half a step below: sums are integers, but for weights that had to be rounded.
        beyond = sums.probabilities[np.abs(sums.values) >= difference - 0.5]
        return min(1, float(beyond.sum()))
    unit = pair.scale * int(pair.denominators.sum())
    spread = math.sqrt(variance.total)
    reach = variance.normal(difference / unit / spread) * spread
    mixed = math.sqrt(float((pair.numerators.astype(np.float64) ** 2).sum())) / unit
    values = sums.values / unit * math.sqrt(variance.samples.value) / mixed
    deviation = math.sqrt(variance.of_seeds)
    tails = ndtr((values - reach) / deviation) + ndtr((-values - reach) / deviation)
    return min(1, float(sums.probabilities @ tails))
