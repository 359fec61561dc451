"""Per-sample errors of a row on a test set, and its score over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.leaderboards.board import Score

if TYPE_CHECKING:
    from bench.evaluation.statistics.confidence import Interval
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board import BoardMetric
    from bench.leaderboards.samples.column_counts import ColumnCounts

CONFIDENCE_LEVEL = 0.95
_DIGITS = 6


def errors_by_seed(
    metric: BoardMetric, counts: ColumnCounts, keys: Sequence[str]
) -> SampleErrors | None:
    """Return the per-sample errors of the seeds of one row on one test set.

    If a higher value is better, the errors are denominators minus numerators. A sample whose
    denominator is 0 (such as a transcript without words) is merged with the one before it.

    Args:
        metric: The metric.
        counts: The counts on the test set.
        keys: Keys of the evaluations, one per seed.

    Returns:
        The errors; None if the metric is not defined for one of the evaluations.
    """
    import numpy as np

    from bench.evaluation.statistics.sample_errors import sample_errors

    columns = counts.numerators.get(metric.name, {})
    if not keys or any(key not in columns for key in keys):
        return None
    below = counts.denominators[metric.name].astype(np.int64)
    above = np.array([columns[key] for key in keys], dtype=np.int64)
    starts = np.flatnonzero(below > 0)
    if not starts.size:
        return None
    ids = [counts.ids[start] for start in starts] if counts.ids else None
    starts[0] = 0
    below = np.add.reduceat(below, starts)
    above = np.add.reduceat(above, starts, axis=1)
    bound = math.inf if metric.max_value is None else metric.max_value
    return sample_errors(
        ids,
        below,
        below - above if metric.higher_is_better else above,
        *((1, 1 - bound) if metric.higher_is_better else (bound, 0)),
        signed=metric.signed,
    )


def score_over_seeds(metric: BoardMetric, values: Sequence[float], errors: Interval) -> Score:
    """Return the score of several seeds.

    Args:
        metric: The metric.
        values: The value of the metric of each seed.
        errors: The interval of the error rate.
    """
    ends = (
        (1 - errors.high, 1 - errors.low) if metric.higher_is_better else (errors.low, errors.high)
    )
    # Rounded, because sums of floats may differ between processors, and boards must not.
    low, high = (round(end, _DIGITS) for end in ends)
    std = statistics.stdev(values) if len(values) > 1 else None
    return Score(statistics.fmean(values), std, low, high)
