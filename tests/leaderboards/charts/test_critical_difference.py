"""Mean ranks, critical differences and cliques agree with other ways to compute them."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from scipy.stats import rankdata

from bench.leaderboards.charts.critical_difference import (
    cliques,
    mean_ranks,
    nemenyi_critical_difference,
)


def test_equal_scores_share_their_ranks():
    draw = random.Random(0)  # noqa: S311 (numbers of a test)
    scores = [[draw.randrange(5) for _ in range(8)] for _ in range(4)]
    expected = rankdata(scores, axis=1).mean(axis=0)
    assert mean_ranks(scores) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "q"), [(2, 1.960), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_agrees_with_the_table_of_demsar(rows, q):
    assert nemenyi_critical_difference(rows, 14) == pytest.approx(
        q * (rows * (rows + 1) / (6 * 14)) ** 0.5, rel=3e-4
    )


def test_cliques_are_the_largest_runs_without_a_significant_difference():
    draw = random.Random(0)  # noqa: S311 (numbers of a test)
    for _ in range(100):
        means = sorted(draw.uniform(1, 8) for _ in range(9))
        least = draw.uniform(0.2, 4)
        # All runs in which no two differ, without those within another one.
        runs = [
            (first, last)
            for first, last in combinations(range(9), 2)
            if all(abs(a - b) < least for a, b in combinations(means[first : last + 1], 2))
        ]
        largest = [
            (a, b)
            for a, b in runs
            if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in runs)
        ]
        assert cliques(means, least) == largest
