"""Scores on axes: as their metric shows them, within its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.leaderboards.charts.scales import Scale, linear

if TYPE_CHECKING:
    from bench.leaderboards.board import BoardMetric, Score

PERCENT = 100.0


def shown(metric: BoardMetric, value: float) -> float:
    """Return a score as it stands on an axis: a share of a metric in percent as percent."""
    return value * _factor(metric)


def score_scale(
    metric: BoardMetric, scores: Iterable[Score], start: float, end: float, count: int = 6
) -> Scale:
    """Return a scale of what a metric shows, around the intervals of scores.

    Args:
        metric: The metric.
        scores: The scores.
        start: The coordinate of the smallest value.
        end: That of the largest.
        count: About how many ticks it has.
    """
    high = math.inf if metric.max_value is None else shown(metric, metric.max_value)
    low = -math.inf if metric.signed else 0.0
    ends = [shown(metric, each) for score in scores for each in (score.low, score.mean, score.high)]
    return linear(ends, start, end, low=low, high=high, count=count)


def capitalized(text: str) -> str:
    """Return a heading that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def _factor(metric: BoardMetric) -> float:
    return PERCENT if metric.unit == "%" else 1.0
