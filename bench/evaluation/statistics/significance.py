"""How sure a score is, which of two rows reads better, and which rows share a rank.

One estimator serves CER, WER and accuracy: the ratio of summed errors and lengths, averaged over
seeds (see `outcomes`). docs/statistics.md has the model, the reasons and what was measured.
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
from bench.evaluation.statistics import variance
from bench.evaluation.statistics.resampling import Floats, Integers, normals, resampled, sign_sums
from bench.evaluation.statistics.sample_errors import Outcomes, same_samples
from bench.evaluation.statistics.variance import Part, Variance

DRAWS = 10_000


@dataclass(frozen=True)
class Interval:
    """Where the expected rate lies, with probability `level`: `low`…`high`."""

    low: float
    high: float
    level: float


@dataclass(frozen=True)
class Comparison:
    """Two rows on the same samples: `difference` is the rate of the first less that of the second.

    `low`…`high` is its interval. `p` is the probability of a difference at least as large, were
    both rows equal; `detectable` the difference that such rows would show in 80 % of trials.
    """

    difference: float
    low: float
    high: float
    p: float
    detectable: float


class Places(NamedTuple):
    """The best and the worst rank that a row may have; equal where no other row is as good."""

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


@dataclass(frozen=True)
class _Ratio:
    """Σ `above` / (Σ `below` × `scale`) over N samples, (N,) each; what it cannot exceed."""

    above: Integers
    below: Integers
    scale: int
    bounds: tuple[float, float]

    @property
    def value(self) -> float:
        return int(self.above.sum()) / (int(self.below.sum()) * self.scale)


def intervals(
    rows: Sequence[Outcomes], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> list[Interval]:
    """Return the interval of each row's rate, over samples and seeds together.

    Raises BenchError unless all rows have as many samples, which need not be the same. A row of
    one seed has the interval of the model that this seed trained, for one training says nothing
    about others. The rows share their draws, and none has another interval for being with others.
    """
    if not rows:
        return []
    if len({len(row.ids) for row in rows}) > 1:
        raise BenchError("only rows of equally many samples can share draws; ask for each alone")
    ratios = [
        _Ratio(row.errors.sum(axis=0), row.lengths, len(row.errors), (0, row.most)) for row in rows
    ]
    drawn, noise = _draw(ratios, draws, seed), normals(draws, seed)
    parts = [variance.of_row(row) for row in rows]
    return [
        _interval(ratio, part, deviations, noise, level)
        for ratio, part, deviations in zip(ratios, parts, drawn, strict=True)
    ]


def interval(row: Outcomes, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the interval of one row's rate, see `intervals`."""
    return intervals([row], level, draws, seed)[0]


def compare(
    a: Outcomes, b: Outcomes, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Return how much more errors `a` makes than `b`; negative where `a` reads better.

    Raises BenchError unless both were tested on the same samples.
    """
    same_samples(a, b)
    pair, equal = _pair(a, b), variance.of_pair(a, b)
    (drawn,) = _draw([pair], draws, seed)
    parts = variance.of_pair(a, b, pair.value)
    found = _interval(pair, parts, drawn, normals(draws, seed), level)
    return Comparison(pair.value, found.low, found.high, _p(pair, equal), _detectable(equal))


def p_value(a: Outcomes, b: Outcomes) -> float:
    """Return the two-sided probability of a difference like that of `a` and `b`, were they equal.

    Of one seed each, this is the exact sign-flip test: the samples at which the two differ are
    as likely to favour either. Of `misread` it is McNemar's exact test. Of several seeds, what
    these add is a normal deviate of estimated variance.
    """
    same_samples(a, b)
    return _p(_pair(a, b), variance.of_pair(a, b))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several (Holm, Scand. J. Statist. 6, 1979).

    Those below a level are wrong, any of them, with at most that probability.
    """
    order = np.argsort(probabilities, kind="stable")
    left = np.arange(len(order), 0, -1)
    stepped = np.maximum.accumulate(left * np.asarray(probabilities, dtype=np.float64)[order])
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()


def tie_groups(rows: Sequence[Outcomes], level: float = 0.05) -> list[Places]:
    """Return the ranks that each row may have, in the order of `rows`.

    All pairs are compared, and corrected together: one more than the rows which are better, to
    all less the rows which are worse. Raises BenchError unless all rows have the same samples.
    """
    best, worst = [1] * len(rows), [len(rows)] * len(rows)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    adjusted = holm([p_value(rows[i], rows[j]) for i, j in pairs])
    for (i, j), p in zip(pairs, adjusted, strict=True):
        if p < level:
            better, other = (i, j) if rows[i].rate < rows[j].rate else (j, i)
            worst[better] -= 1
            best[other] += 1
    return [Places(*places) for places in zip(best, worst, strict=True)]


def detectable(samples: int, deviation: float, level: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest difference of two rates found with probability `power` at `level`.

    (z(1 - level / 2) + z(power)) · deviation / √samples, two-sided (Cohen, Statistical Power
    Analysis, 1988). `deviation` is that of the paired differences of a sample, over the mean
    length; for accuracy √(share of samples that one row alone reads), at most 1. For two rows
    at hand `compare` tells it, with what their seeds add.
    """
    if samples < 1 or deviation < 0 or not 0 < level < 1 or not 0 < power < 1:
        raise BenchError("detectable needs a sample, a deviation and probabilities within 0…1")
    return _detectable(Variance(Part(deviation**2 / samples)), level, power)


def _detectable(parts: Variance, level: float = 0.05, power: float = 0.8) -> float:
    reach = parts.quantile(float(ndtri(1 - level / 2))) + parts.quantile(float(ndtri(power)))
    return reach * math.sqrt(parts.total)


def _pair(a: Outcomes, b: Outcomes) -> _Ratio:
    """Return the difference of two rows as one ratio of integers."""
    scale = math.lcm(len(a.errors), len(b.errors))
    first = a.errors.sum(axis=0) * (scale // len(a.errors))
    second = b.errors.sum(axis=0) * (scale // len(b.errors))
    most = max(a.most, b.most)
    return _Ratio(first - second, a.lengths, scale, (-most, most))


def _p(pair: _Ratio, parts: Variance) -> float:
    difference = abs(int(pair.above.sum()))
    if not difference:
        return 1.0
    sums = sign_sums(np.abs(pair.above))
    if not parts.of_seeds:
        # Half a step below: sums are integers, but for weights that had to be rounded.
        return min(1, float(sums.probabilities[np.abs(sums.values) >= difference - 0.5].sum()))
    unit = pair.scale * int(pair.below.sum())
    spread = math.sqrt(parts.total)
    reach = parts.normal(difference / unit / spread) * spread
    mixed = math.sqrt(float((pair.above.astype(np.float64) ** 2).sum())) / unit
    values = sums.values / unit * math.sqrt(parts.samples.value) / mixed
    deviation = math.sqrt(parts.of_seeds)
    beyond = ndtr((values - reach) / deviation) + ndtr((-values - reach) / deviation)
    return min(1, float(sums.probabilities @ beyond))


def _draw(ratios: Sequence[_Ratio], draws: int, seed: int) -> list[Floats]:
    """Return how far each ratio of resampled samples is from the one at hand, (draws,) each."""
    columns = np.stack(
        [column for ratio in ratios for column in (ratio.above, ratio.below)], axis=1
    )
    sums = resampled(columns, draws, seed)
    return [
        sums[:, 2 * place] / (sums[:, 2 * place + 1] * ratio.scale) - ratio.value
        for place, ratio in enumerate(ratios)
    ]


def _interval(
    ratio: _Ratio, parts: Variance, drawn: Floats, noise: Floats, level: float
) -> Interval:
    """Return the bias-corrected and accelerated interval (Efron, JASA 82, 1987) of one ratio.

    `drawn` (draws,) are deviations of resampled samples, `noise` (draws,) normal deviates for the
    seeds. What both give is stretched to the quantiles of an estimated variance.
    """
    residuals = ratio.above / ratio.scale - ratio.value * ratio.below
    squares = float((residuals**2).sum())
    if not parts.total:
        return _constant(ratio, level)
    mixed = variance.of_samples(residuals, ratio.below).value
    kept = math.sqrt(parts.samples.value / mixed) if mixed else 0.0
    deviations = kept * drawn + math.sqrt(parts.of_seeds) * noise
    skew = float((residuals**3).sum()) / squares**1.5 if squares else 0.0
    acceleration = skew / 6 * (parts.samples.value / parts.total) ** 1.5
    below = ((deviations < 0).mean() + (deviations <= 0).mean()) / 2
    bias = float(ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn))))
    z = float(ndtri((1 + level) / 2))
    shifted = np.array([bias - z, bias + z])
    levels = ndtr(bias + shifted / (1 - acceleration * shifted))
    ends = ratio.value + np.quantile(deviations, levels) * parts.quantile(z) / z
    low, high = np.clip(ends, *ratio.bounds).tolist()
    return Interval(low, high, level)


def _constant(ratio: _Ratio, level: float) -> Interval:
    """Return the interval where all samples agree, thus no draw differs: no error, for instance.

    Samples of another kind may be as frequent as (Clopper and Pearson, Biometrika 26, 1934) would
    be absent from N with a probability of (1 - level) / 2; at the most, all of each is an error,
    or none is.
    """
    share = 1 - ((1 - level) / 2) ** (1 / len(ratio.above))
    least = -1 if ratio.bounds[0] < 0 else 0
    value = ratio.value
    return Interval(value - share * max(0, value - least), value + share * max(0, 1 - value), level)
