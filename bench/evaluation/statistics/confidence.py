"""Confidence intervals of rates, of their differences, and of averages over test sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from bench.evaluation.statistics.resampling import Floats, Integers, resampled_sums
from bench.evaluation.statistics.variance import Variance, variance_of_samples

DRAWS = 10_000
"""Number of bootstrap draws: the ends of a 95 % interval then vary by 1 % of its width between
seeds of the bootstrap."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval of an expected rate.

    Attributes:
        low: The lower end.
        high: The upper end.
        level: The confidence level, in 0…1.
    """

    low: float
    high: float
    level: float


@dataclass(frozen=True, eq=False)
class Ratio:
    """Σ numerators / (Σ denominators × scale) over the N samples of one test set.

    Attributes:
        numerators: Errors summed over seeds, or differences of such sums between two rows, (N,).
        denominators: The denominators of the metric, (N,).
        scale: The number of seeds over which the numerators are summed.
    """

    numerators: Integers
    denominators: Integers
    scale: int

    @property
    def value(self) -> float:
        """The ratio on the test set itself, without resampling."""
        return int(self.numerators.sum()) / (int(self.denominators.sum()) * self.scale)

    @property
    def residuals(self) -> Floats:
        """The residuals numerators / scale − value × denominators, (N,)."""
        return self.numerators / self.scale - self.value * self.denominators


@dataclass(frozen=True, eq=False)
class Estimate:
    """A weighted average of ratios over T test sets.

    Attributes:
        ratios: One per test set.
        weights: One per test set; they add up to 1.
        bounds: The smallest and the largest possible value.
    """

    ratios: tuple[Ratio, ...]
    weights: tuple[float, ...]
    bounds: tuple[float, float]

    @property
    def value(self) -> float:
        """Σ weight × ratio on the test sets themselves, without resampling."""
        return sum(
            weight * ratio.value for weight, ratio in zip(self.weights, self.ratios, strict=True)
        )


def bootstrap_deviations(ratios: Sequence[Ratio], draws: int, seed: int) -> Floats:
    """Return the deviation of each ratio from its value over bootstrap draws, (K, draws).

    Args:
        ratios: K ratios of equally many samples. They share the resampled samples of each draw.
        draws: Bootstrap draws.
        seed: Seed of the bootstrap.
    """
    below = {id(ratio.denominators): ratio.denominators for ratio in ratios}
    columns = [*below.values(), *(ratio.numerators for ratio in ratios)]
    sums = resampled_sums(np.stack(columns, axis=1), draws, seed).T
    columns_of = {identity: column for column, identity in enumerate(below)}
    drawn = sums[len(below) :]
    for row, ratio in enumerate(ratios):
        drawn[row] /= sums[columns_of[id(ratio.denominators)]] * ratio.scale
        drawn[row] -= ratio.value
    return drawn


def confidence_interval(
    estimate: Estimate, variance: Variance, drawn: Floats, noise: Floats, level: float
) -> Interval:
    """Return the bias-corrected and accelerated (BCa) bootstrap interval of an estimate.

    The deviations over draws are scaled to the variance due to samples alone, the normal deviates
    to the variance due to seeds. The percentiles of their sum are stretched to the quantiles of an
    estimated variance.

    Args:
        estimate: The estimate.
        variance: The variance of the estimate.
        drawn: Deviations of the estimate over bootstrap draws, (draws,).
        noise: Normal deviates, (draws,).
        level: Confidence level.

    Source: Efron, "Better Bootstrap Confidence Intervals" (JASA 82, 1987).
    """
    if not variance.total:
        return _interval_without_variance(estimate, level)
    residuals = [ratio.residuals for ratio in estimate.ratios]
    below = [ratio.denominators for ratio in estimate.ratios]
    mixed = variance_of_samples(residuals, below, estimate.weights).value
    shrink = math.sqrt(variance.samples.value / mixed) if mixed else 0.0
    shifts = shrink * drawn + math.sqrt(variance.of_seeds) * noise
    share = (variance.samples.value / variance.total) ** 1.5
    acceleration = share * _skewness(residuals, below, estimate.weights) / 6
    lower = ((shifts < 0).mean() + (shifts <= 0).mean()) / 2
    bias = float(ndtri(np.clip(lower, 1 / len(shifts), 1 - 1 / len(shifts))))
    z = float(ndtri((1 + level) / 2))
    ends = np.array([bias - z, bias + z])
    levels = ndtr(bias + ends / (1 - acceleration * ends))
    stretched = estimate.value + np.quantile(shifts, levels) * variance.quantile(z) / z
    low, high = np.clip(stretched, *estimate.bounds).tolist()
    return Interval(low, high, level)


def _skewness(
    residuals: Sequence[Floats], denominators: Sequence[Integers], weights: Sequence[float]
) -> float:
    """Return the skewness of a weighted average of rates, to first order."""
    second, third = 0.0, 0.0
    for errors, below, weight in zip(residuals, denominators, weights, strict=True):
        unit = weight / float(below.sum())
        second += float((errors**2).sum()) * unit**2
        third += float((errors * errors * errors).sum()) * unit**3
    return third / second**1.5 if second else 0.0


def _interval_without_variance(estimate: Estimate, level: float) -> Interval:
    """Return the interval of an estimate without variance, such as 0 errors: all draws are equal.

    Samples of another kind may exist up to the share at which a test set has none of them with
    probability (1 - level) / 2. Such a sample adds at most its whole denominator as errors, or
    none. With several test sets, they are assumed in the one where they change the average most.

    Source: Clopper and Pearson, Biometrika 26 (1934).
    """
    samples = min(
        len(ratio.numerators) / weight
        for ratio, weight in zip(estimate.ratios, estimate.weights, strict=True)
    )
    share = 1 - ((1 - level) / 2) ** (1 / samples)
    lowest = max(-1, estimate.bounds[0])
    value = estimate.value
    ends = (value - share * max(0, value - lowest), value + share * max(0, 1 - value))
    # Rounding of the weights: an average of rates of 1 may be 1 + 2e-16.
    low, high = np.clip(ends, *estimate.bounds).tolist()
    return Interval(low, high, level)
