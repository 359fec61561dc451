from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.statistics import resampling
from bench.evaluation.statistics.resampling import normal_deviates, resampled_sums, sign_sums


@pytest.mark.parametrize("values", [[5], [0, 3], [1, 2, 4], [7, 0, 1, 20]])
def test_sums_occur_as_often_as_among_all_resamples(values):
    count, draws = len(values), 50_000
    every = Counter(sum(chosen) for chosen in itertools.product(values, repeat=count))
    drawn_sums = Counter(resampled_sums(np.array(values)[:, None], draws, 3)[:, 0].tolist())
    assert set(drawn_sums) == set(every)
    for value, times in every.items():
        share = times / count**count
        deviation = (share * (1 - share) / draws) ** 0.5
        assert drawn_sums[value] / draws == pytest.approx(share, abs=4.5 * deviation)


def test_columns_share_the_drawn_rows_and_do_not_affect_each_other():
    columns = np.arange(12).reshape(6, 2)
    sums = resampled_sums(columns, 100, 1)
    assert (sums[:, 1] - sums[:, 0] == 6).all()
    assert (resampled_sums(columns[:, 1:], 100, 1) == sums[:, 1:]).all()


def test_the_same_bits_on_every_machine():
    assert resampled_sums(np.array([[1], [10], [100]]), 5, 0)[:, 0].tolist() == [
        120,
        3,
        3,
        210,
        120,
    ]
    assert normal_deviates(3, 0) == pytest.approx([-1.3424002657, 0.0875464200, 1.1763866740])


def test_blocks_are_drawn_one_after_the_other(monkeypatch):
    monkeypatch.setattr(resampling, "DRAW_BLOCK", 10)
    sums = resampled_sums(np.ones((4, 1), np.int64), 5, 0)
    assert sums.shape == (5, 1)
    assert (sums == 4).all()


def test_normal_deviates_are_normally_distributed():
    drawn = normal_deviates(100_000, 5)
    assert drawn.mean() == pytest.approx(0, abs=0.015)
    assert drawn.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(drawn) > 1.96).mean() == pytest.approx(0.05, abs=0.003)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_sign_sums_equal_those_of_all_signs(weights):
    every = Counter(
        sum(s * w for s, w in zip(signs, weights, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(weights))
    )
    drawn_sums = sign_sums(np.array(weights))
    likely = drawn_sums.probabilities > 1e-12
    assert drawn_sums.values[likely].tolist() == pytest.approx(sorted(every))
    expected = [every[value] / 2 ** len(weights) for value in sorted(every)]
    assert drawn_sums.probabilities[likely].tolist() == pytest.approx(expected, abs=1e-12)


def test_rounding_of_many_large_weights_changes_little(monkeypatch):
    weights = np.random.default_rng(0).integers(1, 60, 1500)
    rounded = sign_sums(weights)
    monkeypatch.setattr(resampling, "MAX_GRID", 10**6)
    exact = sign_sums(weights)
    assert len(rounded.values) < len(exact.values) / 2
    for sums in (rounded, exact):
        assert sums.probabilities @ sums.values**2 == pytest.approx((weights**2).sum())
    for z in (1, 2, 3):
        reach = z * float((weights**2).sum()) ** 0.5
        tails = [
            sums.probabilities[np.abs(sums.values) >= reach].sum() for sums in (rounded, exact)
        ]
        assert tails[0] == pytest.approx(tails[1], rel=0.02)


def test_many_rows_are_resampled_in_groups_of_the_same_variance(monkeypatch):
    monkeypatch.setattr(resampling, "MAX_UNITS", 500)
    column = np.random.default_rng(0).gamma(0.3, 10, 5003).astype(np.int64)[:, None]
    sums = resampled_sums(column, 4000, 2)[:, 0]
    assert sums.mean() == pytest.approx(column.sum(), rel=0.005)
    assert sums.std() == pytest.approx(column.std() * 5003**0.5, rel=0.1)
    ordered = resampled_sums(np.sort(column, axis=0), 4000, 2)[:, 0]
    assert ordered.std() == pytest.approx(column.std() * 5003**0.5, rel=0.1)


def test_a_slow_sign_distribution_of_many_weights_is_normal(monkeypatch):
    weights = np.random.default_rng(0).integers(1, 10**6, 800)
    exact = sign_sums(weights)
    monkeypatch.setattr(resampling, "MAX_TERMS", 0)
    normal = sign_sums(weights)
    for z in (1, 2, 3):
        reach = z * float((weights**2).sum()) ** 0.5
        tails = [s.probabilities[np.abs(s.values) >= reach].sum() for s in (exact, normal)]
        assert tails[0] == pytest.approx(tails[1], rel=0.04)
