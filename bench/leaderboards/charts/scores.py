"""Scores on axes: shares as percent, within the bounds of their metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.leaderboards.board import BoardMetric

_PERCENT = 100.0


def shown(share: float) -> float:
    """Return a share as it stands on an axis, in percent."""
    return _PERCENT * share


def limits(metric: BoardMetric) -> dict[str, float]:
    """Return the least and the largest tick of an axis of a metric."""
    high = math.inf if metric.max_value is None else _PERCENT * metric.max_value
    return {"low": -math.inf if metric.signed else 0.0, "high": high}
