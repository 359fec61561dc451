"""The Pareto front agrees with its definition."""

from __future__ import annotations

import random

import pytest

from bench.leaderboards.board import Score
from bench.leaderboards.charts.costs import Point, pareto_front

from ..test_matching import row


@pytest.mark.parametrize("higher", [True, False])
def test_the_pareto_front_has_the_points_that_no_other_dominates(higher):
    draw = random.Random(0)  # noqa: S311 (numbers of a test)
    for _ in range(50):
        points = []
        for n in range(12):
            score = draw.randrange(6) / 6
            points.append(
                Point(row(str(n), {}), float(draw.randrange(1, 7)), Score(score, None, 0, 1), "")
            )
        sign = 1 if higher else -1

        def dominates(a: Point, b: Point, sign: int = sign) -> bool:
            gain = sign * (a.score.mean - b.score.mean)
            return a.cost <= b.cost and gain >= 0 and (a.cost < b.cost or gain > 0)

        expected = {
            point.row.label
            for point in points
            if not any(dominates(other, point) for other in points)
        }
        front = pareto_front(points, higher_is_better=higher)
        assert {point.row.label for point in front} == expected
        assert [point.cost for point in front] == sorted(point.cost for point in front)
