"""The variance of a score: the part due to the samples of the test sets and that due to the seeds.

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
"""Power of a variance by which its quantile is weighted; Cochran's own is 1, which is wider."""
ROUNDING = 1e-12
"""Residuals below this share of the largest denominator are rounding errors."""
MAX_DEVIATE = 20.0
"""Largest normal deviate to look for: the probability beyond is below 1e-88."""
HALVINGS = 55


@dataclass(frozen=True)
class EstimatedVariance:
    """An estimated variance, with the degrees of `freedom` of the estimate."""

    value: float
    freedom: float = math.inf

    def quantile(self, z: float) -> float:
        """Return the quantile of Student's t that has the same probability as the normal `z`."""
        if math.isinf(self.freedom):
            return z
        return math.copysign(stdtrit(self.freedom, float(ndtr(-abs(z)))), z)


@dataclass(frozen=True)
class Variance:
    """The variance of a score that is a mean over seeds.

    Attributes:
        samples: The part due to the samples of the test sets alone.
        seeds: The part due to the trainings, with all that one seed reads of a sample and another
            does not. Of a single seed it is unknown, thus None.
    """

    samples: EstimatedVariance
    seeds: EstimatedVariance | None = None

    @property
    def total(self) -> float:
        """The variance of the score."""
        return self.samples.value + self.of_seeds

    @property
    def of_seeds(self) -> float:
        """The part due to seeds; 0 of a single seed."""
        return self.seeds.value if self.seeds else 0

    def quantile(self, z: float) -> float:
        """Return the quantile that takes the place of the normal `z`, as variances are estimates.

        The mean of both parts' quantiles, weighted by variance to the power of `WEIGHT` (after
        Cochran, Biometrics 20, 1964).
        """
        first = self.samples.quantile(z)
        if not self.seeds or not self.seeds.value:
            return first
        share: float = 1 / (1 + (self.samples.value / self.seeds.value) ** WEIGHT)
        return first + share * (self.seeds.quantile(z) - first)

    def normal(self, quantile: float) -> float:
        """Return the z of at least 0 for which `self.quantile(z)` is `quantile`."""
        low, high = 0.0, min(quantile, MAX_DEVIATE)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile(middle) < quantile else (low, middle)
        return high


@dataclass(frozen=True)
class SeedVariance:
    """The variance of the score of one seed, estimated from the scores of S seeds.

    Attributes:
        scores: Variance of the scores.
        own: The part of `scores` due to samples that each seed reads differently.
        count: The number of seeds, S.
    """

    scores: float
    own: float
    count: int


def variance_of_rate(row: SampleErrors) -> Variance:
    """Return the variance of a row's rate."""
    return variance_of_average([row], [1])


def variance_of_average(tests: Sequence[SampleErrors], weights: Sequence[float]) -> Variance:
    """Return the variance of Σ weight × rate of one row over T independent test sets.

    Args:
        tests: The row's errors on each test set, by the same seeds.
        weights: Of each test set, (T,).
    """
    residuals = [mean_residuals(row) for row in tests]
    mixed = variance_of_samples(residuals, [row.denominators for row in tests], weights)
    seeds = variance_of_seeds(tests, weights)
    return combine_variances(mixed, [seeds])


def variance_of_difference(a: SampleErrors, b: SampleErrors, difference: float = 0) -> Variance:
    """Return the variance of a.rate - b.rate on the same samples, given its expectation."""
    residuals = a.errors.mean(axis=0) - b.errors.mean(axis=0) - difference * a.denominators
    mixed = variance_of_samples([residuals], [a.denominators], [1])
    return combine_variances(mixed, [variance_of_seeds([row], [1]) for row in (a, b)])


def mean_residuals(row: SampleErrors) -> Floats:
    """Return errors less rate × denominator, averaged over seeds, (N,)."""
    return np.asarray(row.errors.mean(axis=0) - row.rate * row.denominators)


def variance_of_samples(
    residuals: Sequence[Floats], denominators: Sequence[Integers], weights: Sequence[float]
) -> EstimatedVariance:
    """Return the variance of Σ weight × Σ errors / Σ denominators, to first order.

    The kurtosis κ of residuals says how well the variance on one test set is known: as from
    2N / (κ - 1) degrees of freedom, by matching two moments of χ². Those of several test sets are
    combined by Satterthwaite's formula.

    Args:
        residuals: Of each test set, errors less the rate times denominators, (N,).
        denominators: Of each test set, (N,).
        weights: Of each test set, (T,).
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
    """Return the variance of a seed's weighted score over T test sets; None of a single seed."""
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
    # Differences to the first: equal scores have a variance of exactly 0.
    return SeedVariance(float(np.var(scores - scores[0], ddof=1)), own, count)


def combine_variances(mixed: EstimatedVariance, rows: Sequence[SeedVariance | None]) -> Variance:
    """Return the variance of the score of one row, or of the difference of two.

    Of two rows, one of a single seed is taken to vary between seeds as the other does.

    Args:
        mixed: Variance over samples of the mean over seeds; it holds the part of the seeds'
            variance that is due to single samples, which is taken out.
        rows: What the seeds of each row tell, None of a single one.
    """
    several = [row for row in rows if row]
    if not several:
        return Variance(mixed)
    if len(several) < len(rows):
        (only,) = several
        share = 1 + 1 / only.count
        return _net(mixed, share * only.own, EstimatedVariance(share * only.scores, only.count - 1))
    parts = [row.scores / row.count for row in several]
    # Welch–Satterthwaite; rows that do not vary at all have nothing to weigh.
    below = sum(part**2 / (row.count - 1) for part, row in zip(parts, several, strict=True))
    freedom = sum(parts) ** 2 / below if below else 1
    return _net(
        mixed, sum(row.own / row.count for row in several), EstimatedVariance(sum(parts), freedom)
    )


def _net(mixed: EstimatedVariance, own: float, seeds: EstimatedVariance) -> Variance:
    """Take out of the variance over samples what the variance of the seeds already holds."""
    left = max(0, mixed.value - own)
    # Seeds with equal scores that agree on no sample: only samples tell anything.
    if not left and not seeds.value:
        return Variance(mixed, seeds)
    return Variance(replace(mixed, value=left), seeds)
