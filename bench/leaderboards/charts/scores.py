"""Scores on axes: as their metric shows them, within its bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.leaderboards.board import BoardMetric


def shown(metric: BoardMetric, value: float) -> float:
    """Return a score as it stands on an axis: a share of a metric in percent as percent."""
    return value * _factor(metric)


def limits(metric: BoardMetric) -> dict[str, float]:
    """Return the least and the largest tick of an axis of a metric."""
    high = math.inf if metric.max_value is None else metric.max_value * _factor(metric)
    return {"low": -math.inf if metric.signed else 0.0, "high": high}


def _factor(metric: BoardMetric) -> float:
    return 100.0 if metric.unit == "%" else 1.0
