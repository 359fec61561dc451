"""How sure a board's scores and ranks are, from what its trials got wrong on each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board_samples import Samples

LEVEL = 0.95
_DIGITS = 6


class Range(NamedTuple):
    """Where a score lies with probability `LEVEL`, in 0…1 for accuracies."""

    low: float
    high: float


@dataclass(frozen=True)
class Certainty:
    """Of a row: the 95 % intervals of its scores, and the `best` and `worst` rank it may have.

    Ranks are by what the board ranks by first. All pairs of rows of a dataset are compared,
    together at a level of 5 % (Holm).
    """

    sequence_accuracy: Range
    cer: Range
    best: int
    worst: int


def certainties(
    rows: Sequence[Sequence[str]], samples: Samples, *, by_error: bool = False
) -> list[Certainty]:
    """Return the certainty of each of `rows`, given as the keys of its trials, of one dataset.

    Ranked by sequence accuracy, or by error rate.
    """
    from bench.evaluation.statistics import significance as statistics

    found = [outcomes(keys, samples) for keys in rows]
    misread = [one.sequence_errors for one in found]
    # In one call, so that samples are drawn once.
    within = statistics.intervals([*misread, *found], LEVEL)
    return [
        Certainty(
            _range(1 - accuracy.high, 1 - accuracy.low),
            _range(rate.low, rate.high),
            places.best,
            places.worst,
        )
        for accuracy, rate, places in zip(
            within[: len(rows)],
            within[len(rows) :],
            statistics.rank_intervals(found if by_error else misread, 1 - LEVEL),
            strict=True,
        )
    ]


def outcomes(keys: Sequence[str], samples: Samples) -> SampleErrors:
    """Return what the trials `keys`, the seeds of a row, got wrong of each sample."""
    from bench.evaluation.statistics.sample_errors import sample_errors

    return sample_errors(samples.ids, samples.lengths, [samples.edits[key] for key in keys])


def _range(low: float, high: float) -> Range:
    # Sums of floats may end otherwise on another processor: a board has the same bytes on all.
    return Range(round(low, _DIGITS), round(high, _DIGITS))
