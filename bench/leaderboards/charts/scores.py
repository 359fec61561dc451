"""Scores on axes: in the unit of their metric, within its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.leaderboards.charts.scales import Scale, linear_scale

if TYPE_CHECKING:
    from bench.leaderboards.board import BoardMetric, Score

PERCENT = 100.0


def displayed_value(metric: BoardMetric, value: float) -> float:
    """Return a score in the unit of its metric: in percent if the unit is `%`."""
    return value * _factor(metric)


def score_scale(
    metric: BoardMetric, scores: Iterable[Score], start: float, end: float, count: int = 6
) -> Scale:
    """Return a scale in the unit of a metric, around the intervals of scores.

    Args:
        metric: The metric.
        scores: The scores.
        start: Coordinate of the smallest value.
        end: Coordinate of the largest value.
        count: Approximate number of ticks.
    """
    high = math.inf if metric.max_value is None else displayed_value(metric, metric.max_value)
    low = -math.inf if metric.signed else 0.0
    ends = [
        displayed_value(metric, each)
        for score in scores
        for each in (score.low, score.mean, score.high)
    ]
    return linear_scale(ends, start, end, low=low, high=high, count=count)


def capitalized(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _factor(metric: BoardMetric) -> float:
    return PERCENT if metric.unit == "%" else 1.0
