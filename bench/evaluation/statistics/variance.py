"""How much of a score is due to the samples it was tested on, and how much to the seeds.

See docs/statistics.md for the model and for what was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit

from bench.evaluation.statistics.resampling import Floats, Integers
from bench.evaluation.statistics.sample_errors import Outcomes

WEIGHT = 1.4
"""The power of a variance by which its quantile weighs; Cochran's own is 1."""
NOTHING = 1e-9
"""A residual below is rounding: one that is none is 1 / (S Σ lengths) at least."""
FARTHEST = 20.0
"""No normal deviate is sought beyond: its probability is below 1e-88."""
HALVINGS = 55


@dataclass(frozen=True)
class Part:
    """An estimate of a variance, with the degrees of `freedom` of what it was estimated from."""

    value: float
    freedom: float = math.inf

    def quantile(self, z: float) -> float:
        """Return Student's quantile of the probability that `z` is the normal quantile of."""
        if math.isinf(self.freedom):
            return z
        return math.copysign(stdtrit(self.freedom, float(ndtr(-abs(z)))), z)


@dataclass(frozen=True)
class Variance:
    """The variance of a mean over seeds.

    `samples` is due to the test set alone. `seeds` is due to the trainings, with all that one
    seed reads of a sample and another does not; of a single seed it is unknown, thus None.
    """

    samples: Part
    seeds: Part | None = None

    @property
    def total(self) -> float:
        """The variance of the score."""
        return self.samples.value + self.of_seeds

    @property
    def of_seeds(self) -> float:
        """The variance due to seeds; 0 of a single one."""
        return self.seeds.value if self.seeds else 0

    def quantile(self, z: float) -> float:
        """Return what the normal quantile `z` becomes where variances are estimates.

        The mean of both parts' quantiles, weighed by variance to the power of `WEIGHT` (after
        Cochran, Biometrics 20, 1964, whose power of 1 is wider).
        """
        first = self.samples.quantile(z)
        if not self.seeds or not self.seeds.value:
            return first
        share: float = 1 / (1 + (self.samples.value / self.seeds.value) ** WEIGHT)
        return first + share * (self.seeds.quantile(z) - first)

    def normal(self, quantile: float) -> float:
        """Return the z of at least 0 for which `self.quantile(z)` is `quantile`."""
        low, high = 0.0, min(quantile, FARTHEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile(middle) < quantile else (low, middle)
        return high


@dataclass(frozen=True)
class _Seeds:
    """What `count` seeds tell of a row: the variance of one seed's score.

    `own` is the part of `scores` that is due to samples which each seed reads differently.
    """

    scores: float
    own: float
    count: int


def of_row(row: Outcomes) -> Variance:
    """Return the variance of a row's rate."""
    mixed = of_samples(row.errors.mean(axis=0) - row.rate * row.lengths, row.lengths)
    seeds = _seeds(row)
    if seeds is None:
        return Variance(mixed)
    return _net(mixed, seeds.own / seeds.count, Part(seeds.scores / seeds.count, seeds.count - 1))


def of_pair(a: Outcomes, b: Outcomes, difference: float = 0) -> Variance:
    """Return the variance of a.rate - b.rate on the same samples, given what it is expected to be.

    A row of one seed is taken to vary between seeds as the other does.
    """
    residuals = a.errors.mean(axis=0) - b.errors.mean(axis=0) - difference * a.lengths
    mixed = of_samples(residuals, a.lengths)
    known = [seeds for seeds in (_seeds(a), _seeds(b)) if seeds]
    if not known:
        return Variance(mixed)
    if len(known) == 1:
        (only,) = known
        share = 1 + 1 / only.count
        return _net(mixed, share * only.own, Part(share * only.scores, only.count - 1))
    parts = [seeds.scores / seeds.count for seeds in known]
    # Welch–Satterthwaite; of two rows that do not vary at all there is nothing to weigh.
    below = sum(part**2 / (seeds.count - 1) for part, seeds in zip(parts, known, strict=True))
    freedom = sum(parts) ** 2 / below if below else 1
    return _net(mixed, sum(seeds.own / seeds.count for seeds in known), Part(sum(parts), freedom))


def of_samples(residuals: Floats, lengths: Integers) -> Part:
    """Return the variance of Σ errors / Σ lengths over samples, to first order.

    `residuals` (N,) are errors less the rate times lengths. Their kurtosis κ says how well the
    variance is known: as from 2N / (κ - 1) degrees of freedom, by matching two moments of χ².
    """
    count = len(residuals)
    squares = float((residuals**2).sum())

    if float(np.abs(residuals).max()) < NOTHING:
        return Part(0)
    variance = squares * count / max(1, count - 1) / float(lengths.sum()) ** 2
    excess = count * float((residuals**4).sum()) / squares**2 - 1
    return Part(variance, 2 * count / excess if excess > 1 / count else math.inf)


def _net(mixed: Part, own: float, seeds: Part) -> Variance:
    """Take out of the variance over samples what is in that of the seeds already."""
    left = max(0, mixed.value - own)
    # Two equal scores of seeds that agree on no sample: what is left is known from samples alone.
    if not left and not seeds.value:
        return Variance(mixed, seeds)
    return Variance(replace(mixed, value=left), seeds)


def _seeds(row: Outcomes) -> _Seeds | None:
    """Return what the seeds of a row tell, None of a single one."""
    count, samples = row.errors.shape
    if count == 1:
        return None
    rates = row.errors.sum(axis=1) / row.lengths.sum()
    residuals = row.errors - rates[:, None] * row.lengths
    own = residuals - residuals.mean(axis=0)
    squares = float((own**2).sum()) / ((count - 1) * max(1, samples - 1))
    whole = float(row.lengths.sum()) ** 2
    scores = float(np.var(row.errors.sum(axis=1), ddof=1)) / whole
    return _Seeds(scores, squares * samples / whole, count)
