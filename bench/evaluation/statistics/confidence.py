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
"""Bootstrap draws: the ends of a 95 % interval vary by 1 % of its width between random seeds."""


@dataclass(frozen=True)
class Interval:
    """The confidence interval `low`…`high` of an expected rate, at confidence `level`."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, eq=False)
class Ratio:
    """Σ numerators / (Σ denominators × scale) over the N samples of one test set.

    Attributes:
        numerators: Errors summed over seeds, or their differences between two rows, (N,).
        denominators: Of each sample, (N,).
        scale: The number of seeds that the numerators are summed over.
    """

    numerators: Integers
    denominators: Integers
    scale: int

    @property
    def value(self) -> float:
        """The ratio of the test set as it is."""
        return int(self.numerators.sum()) / (int(self.denominators.sum()) * self.scale)

    @property
    def residuals(self) -> Floats:
        """Numerators / scale less the value × denominators, (N,)."""
        return self.numerators / self.scale - self.value * self.denominators


@dataclass(frozen=True, eq=False)
class Estimate:
    """Σ weight × ratio over T test sets, with the bounds of what it can be.

    Attributes:
        ratios: One per test set.
        weights: One per test set; their sum is 1.
        bounds: The least and the largest possible value.
    """

    ratios: tuple[Ratio, ...]
    weights: tuple[float, ...]
    bounds: tuple[float, float]

    @property
    def value(self) -> float:
        """The weighted average of the test sets as they are."""
        return sum(
            weight * ratio.value for weight, ratio in zip(self.weights, self.ratios, strict=True)
        )


def bootstrap_deviations(ratios: Sequence[Ratio], draws: int, seed: int) -> Floats:
    """Return how far each ratio of resampled samples is from its value, (K, draws).

    The ratios are of equally many samples, and share the samples of each draw.
    """
    below = {id(ratio.denominators): ratio.denominators for ratio in ratios}
    columns = [*below.values(), *(ratio.numerators for ratio in ratios)]
    sums = resampled_sums(np.stack(columns, axis=1), draws, seed).T
    places = {name: place for place, name in enumerate(below)}
    drawn = sums[len(below) :]
    for place, ratio in enumerate(ratios):
        drawn[place] /= sums[places[id(ratio.denominators)]] * ratio.scale
        drawn[place] -= ratio.value
    return drawn


def confidence_interval(
    estimate: Estimate, variance: Variance, drawn: Floats, noise: Floats, level: float
) -> Interval:
    """Return the bias-corrected and accelerated interval (Efron, JASA 82, 1987) of an estimate.

    The deviations of resampled samples are shrunk to the variance due to samples alone, the normal
    deviates are scaled to that due to seeds, and the percentiles of their sum are stretched to the
    quantiles of an estimated variance.

    Args:
        estimate: What the interval is of.
        variance: Its variance.
        drawn: Deviations of the estimate over resampled samples, (draws,).
        noise: Normal deviates, (draws,).
        level: Confidence level.
    """
    if not variance.total:
        return _interval_without_variance(estimate, level)
    residuals = [ratio.residuals for ratio in estimate.ratios]
    below = [ratio.denominators for ratio in estimate.ratios]
    mixed = variance_of_samples(residuals, below, estimate.weights).value
    kept = math.sqrt(variance.samples.value / mixed) if mixed else 0.0
    shifts = kept * drawn + math.sqrt(variance.of_seeds) * noise
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
    """Return the interval where all samples agree, as without any error: no draw differs.

    Samples of another kind may be as frequent as (Clopper and Pearson, Biometrika 26, 1934) would
    be absent with a probability of (1 - level) / 2. At most, all of each is an error, or nothing.
    Of several test sets they are in that where they count most.
    """
    samples = min(
        len(ratio.numerators) / weight
        for ratio, weight in zip(estimate.ratios, estimate.weights, strict=True)
    )
    share = 1 - ((1 - level) / 2) ** (1 / samples)
    least = max(-1, estimate.bounds[0])
    value = estimate.value
    ends = (value - share * max(0, value - least), value + share * max(0, 1 - value))
    # Sums of weights round: an average of rates of 1 may be 1 + 2e-16.
    low, high = np.clip(ends, *estimate.bounds).tolist()
    return Interval(low, high, level)
