"""The difference of two rows in an average over test sets: its interval, and a paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from bench.evaluation.statistics.confidence import (
    DRAWS,
    Estimate,
    Ratio,
    confidence_interval,
    deviations,
)
from bench.evaluation.statistics.resampling import normal_deviates
from bench.evaluation.statistics.sample_errors import SampleErrors, require_same_samples
from bench.evaluation.statistics.significance import Comparison, compare
from bench.evaluation.statistics.variance import (
    Variance,
    combined,
    mean_residuals,
    variance_of_samples,
    variance_of_seeds,
)


def compare_averages(
    a: Sequence[SampleErrors],
    b: Sequence[SampleErrors],
    weights: Sequence[float],
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Return how much higher the average rate of `a` is than that of `b`.

    With one test set this is `significance.compare`. With several the test takes the studentized
    difference as Student's t.

    Args:
        a: The errors of the one row on each test set, by the same seeds.
        b: The errors of the other row.
        weights: Of each test set; their sum is 1.
        level: Confidence level of the interval.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap; test set t takes seed + t.

    Raises:
        BenchError: The rows have different samples.
    """
    if len(a) == 1:
        return compare(a[0], b[0], level, draws, seed)
    pairs = [*zip(a, b, strict=True)]
    for first, second in pairs:
        require_same_samples(first, second)
    limit = max(row.max_rate for row in (*a, *b))
    estimate = Estimate(tuple(_ratio(*pair) for pair in pairs), tuple(weights), (-limit, limit))
    shifts = sum(
        weight * deviations([ratio], draws, seed + t)[0]
        for t, (ratio, weight) in enumerate(zip(estimate.ratios, weights, strict=True))
    )
    variance = _variance(a, b, weights)
    around = confidence_interval(
        estimate, variance, np.asarray(shifts), normal_deviates(draws, seed), level
    )
    equal = _under_equality(variance, estimate)
    return Comparison(estimate.value, around.low, around.high, _p(estimate, equal), _reach(equal))


def _ratio(a: SampleErrors, b: SampleErrors) -> Ratio:
    scale = math.lcm(len(a.errors), len(b.errors))
    first = a.errors.sum(axis=0) * (scale // len(a.errors))
    second = b.errors.sum(axis=0) * (scale // len(b.errors))
    return Ratio(first - second, a.denominators, scale)


def _variance(
    a: Sequence[SampleErrors], b: Sequence[SampleErrors], weights: Sequence[float]
) -> Variance:
    residuals = [mean_residuals(one) - mean_residuals(two) for one, two in zip(a, b, strict=True)]
    mixed = variance_of_samples(residuals, [row.denominators for row in a], weights)
    return combined(mixed, [variance_of_seeds(row, weights) for row in (a, b)])


def _under_equality(variance: Variance, estimate: Estimate) -> Variance:
    """Return the variance that the difference would have if its expectation were 0."""
    unit = sum(
        (weight / float(ratio.denominators.sum())) ** 2
        * float((ratio.denominators.astype(np.float64) ** 2).sum())
        for ratio, weight in zip(estimate.ratios, estimate.weights, strict=True)
    )
    value = variance.samples.value + estimate.value**2 * unit
    return replace(variance, samples=replace(variance.samples, value=value))


def _p(estimate: Estimate, variance: Variance) -> float:
    if not estimate.value or not variance.total:
        return 1.0
    z = variance.normal(abs(estimate.value) / math.sqrt(variance.total))
    return float(min(1.0, 2 * ndtr(-z)))


def _reach(variance: Variance, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the difference that is significant at `alpha` with probability `power`."""
    quantiles = variance.quantile(float(ndtri(1 - alpha / 2))) + variance.quantile(
        float(ndtri(power))
    )
    return quantiles * math.sqrt(variance.total)
