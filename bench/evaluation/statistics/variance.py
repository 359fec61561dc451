"""The variance of a score, split into a part due to samples and a part due to seeds.

`bench docs statistics` has the model and the measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit

from bench.evaluation.statistics.resampling import Floats, Integers
from bench.evaluation.statistics.sample_errors import SampleErrors

WEIGHT = 1.4
"""The power of a variance that weights its quantile; Cochran's 1 would give wider intervals."""
ROUNDING = 1e-12
"""Residuals below this share of the largest denominator are regarded as rounding errors."""
MAX_DEVIATE = 20.0
"""Largest normal deviate of the search: the probability of a larger one is below 1e-88."""
HALVINGS = 55
"""Steps of the bisection: the interval is then at the resolution of float64."""


@dataclass(frozen=True)
class EstimatedVariance:
    """An estimated variance.

    Attributes:
        value: The variance.
        degrees_of_freedom: Those of the estimate; infinite if the variance is known.
    """

    value: float
    degrees_of_freedom: float = math.inf

    def quantile(self, z: float) -> float:
        """Return the quantile of Student's t at the probability of the normal quantile `z`."""
        if math.isinf(self.degrees_of_freedom):
            return z
        return math.copysign(stdtrit(self.degrees_of_freedom, float(ndtr(-abs(z)))), z)


@dataclass(frozen=True)
class Variance:
    """The variance of a score that is a mean over seeds.

    Attributes:
        samples: The part due to the samples of the test sets alone.
        seeds: The part due to training, which includes differences between seeds on single
            samples. It is None with a single seed, because it is unknown.
    """

    samples: EstimatedVariance
    seeds: EstimatedVariance | None = None

    @property
    def total(self) -> float:
        """The variance of the score."""
        return self.samples.value + self.of_seeds

    @property
    def of_seeds(self) -> float:
        """The part due to seeds; 0 with a single seed."""
        return self.seeds.value if self.seeds else 0

    def quantile(self, z: float) -> float:
        """Return the quantile at the probability of the normal quantile `z`.

        It is larger than `z`, because the variances are estimates: the mean of the quantiles of
        both parts, weighted by their variances to the power of `WEIGHT`.

        Source: after Cochran, Biometrics 20 (1964).
        """
        first = self.samples.quantile(z)
        if not self.seeds or not self.seeds.value:
            return first
        share: float = 1 / (1 + (self.samples.value / self.seeds.value) ** WEIGHT)
        return first + share * (self.seeds.quantile(z) - first)

    def normal_deviate(self, quantile: float) -> float:
        """Return the z of at least 0 whose `quantile(z)` is `quantile`, by bisection."""
        low, high = 0.0, min(quantile, MAX_DEVIATE)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile(middle) < quantile else (low, middle)
        return high


@dataclass(frozen=True)
class SeedVariance:
    """The variance of the score of one seed, estimated from the scores of S seeds.

    Attributes:
        scores: The variance of the scores.
        own: The part of `scores` due to samples that seeds read differently.
        count: The number of seeds, S.
    """

    scores: float
    own: float
    count: int


def variance_of_rate(row: SampleErrors) -> Variance:
    """Return the variance of the rate of a row on one test set."""
    return variance_of_average([row], [1])


def variance_of_average(tests: Sequence[SampleErrors], weights: Sequence[float]) -> Variance:
    """Return the variance of Σ weight × rate of one row over T independent test sets.

    Args:
        tests: The errors of the row on each test set, with the same seeds on all of them.
        weights: The weight of each test set, (T,).
    """
    residuals = [mean_residuals(row) for row in tests]
    mixed = variance_of_samples(residuals, [row.denominators for row in tests], weights)
    seeds = variance_of_seeds(tests, weights)
    return combine_variances(mixed, [seeds])


def variance_of_difference(a: SampleErrors, b: SampleErrors, difference: float = 0) -> Variance:
    """Return the variance of a.rate - b.rate on the same samples.

    Args:
        a: The errors of the first row.
        b: The errors of the second row.
        difference: The expectation of the difference.
    """
    residuals = a.errors.mean(axis=0) - b.errors.mean(axis=0) - difference * a.denominators
    mixed = variance_of_samples([residuals], [a.denominators], [1])
    return combine_variances(mixed, [variance_of_seeds([row], [1]) for row in (a, b)])


def mean_residuals(row: SampleErrors) -> Floats:
    """Return errors − rate × denominator of each sample, averaged over seeds, (N,)."""
    return np.asarray(row.errors.mean(axis=0) - row.rate * row.denominators)


def variance_of_samples(
    residuals: Sequence[Floats], denominators: Sequence[Integers], weights: Sequence[float]
) -> EstimatedVariance:
    """Return the variance of Σ weight × Σ errors / Σ denominators, to first order.

    The degrees of freedom on one test set are 2N / (κ - 1), with the kurtosis κ of the residuals,
    by matching two moments of χ². Satterthwaite's formula combines those of several test sets.

    Args:
        residuals: Per test set, errors − rate × denominator of each sample, (N,).
        denominators: Per test set, the denominators, (N,).
        weights: The weight of each test set, (T,).
    """
    total, spread = 0.0, 0.0
    for errors, below, weight in zip(residuals, denominators, weights, strict=True):
        if float(np.abs(errors).max()) < ROUNDING * int(below.max()):
            continue
        count = len(errors)
        second = errors**2
        squares = float(second.sum())
        value = squares * count / max(1, count - 1) * (weight / float(below.sum())) ** 2
        excess = count * float((second**2).sum()) / squares**2 - 1
        total += value
        spread += value**2 * excess / (2 * count) if excess > 1 / count else 0
    return EstimatedVariance(total, total**2 / spread if spread else math.inf)


def variance_of_seeds(
    tests: Sequence[SampleErrors], weights: Sequence[float]
) -> SeedVariance | None:
    """Return the variance between seeds of the weighted average over T test sets.

    None with a single seed.
    """
    count = len(tests[0].errors)
    if count == 1:
        return None
    scores, own = np.zeros(count), 0.0
    for row, weight in zip(tests, weights, strict=True):
        samples, whole = len(row.denominators), float(row.denominators.sum())
        rates = row.errors.sum(axis=1) / whole
        scores += weight * rates
        residuals = row.errors - rates[:, None] * row.denominators
        residuals -= residuals.mean(axis=0)
        squares = float((residuals**2).sum()) / ((count - 1) * max(1, samples - 1))
        own += squares * samples * (weight / whole) ** 2
    # Subtracting the first makes the variance of equal scores exactly 0.
    return SeedVariance(float(np.var(scores - scores[0], ddof=1)), own, count)


def combine_variances(mixed: EstimatedVariance, rows: Sequence[SeedVariance | None]) -> Variance:
    """Return the variance of the score of one row, or of the difference of two rows.

    If one of two rows has a single seed, its variance between seeds is assumed to be that of the
    other row.

    Args:
        mixed: The variance over samples of the mean over seeds. The part of the variance of seeds
            that is due to single samples is in it and is subtracted.
        rows: The variance between seeds of each row; None for a row with a single seed.
    """
    several = [row for row in rows if row]
    if not several:
        return Variance(mixed)
    if len(several) < len(rows):
        (only,) = several
        share = 1 + 1 / only.count
        return _without_seed_part(
            mixed, share * only.own, EstimatedVariance(share * only.scores, only.count - 1)
        )
    parts = [row.scores / row.count for row in several]
    # Welch–Satterthwaite; if no row varies between seeds, it would be 0 / 0.
    below = sum(part**2 / (row.count - 1) for part, row in zip(parts, several, strict=True))
    freedom = sum(parts) ** 2 / below if below else 1
    return _without_seed_part(
        mixed, sum(row.own / row.count for row in several), EstimatedVariance(sum(parts), freedom)
    )


def _without_seed_part(mixed: EstimatedVariance, own: float, seeds: EstimatedVariance) -> Variance:
    """Subtract from the variance over samples the part that is in the variance of seeds."""
    samples = max(0, mixed.value - own)
    # Seeds with equal scores but different errors: the total must not become 0.
    if not samples and not seeds.value:
        return Variance(mixed, seeds)
    return Variance(replace(mixed, value=samples), seeds)
