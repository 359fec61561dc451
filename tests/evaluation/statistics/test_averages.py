from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.core.errors import BenchError
from bench.evaluation.statistics.averages import (
    average_weights,
    compare_entries,
    leave_one_out_ranks,
)
from bench.evaluation.statistics.paired_averages import compare_averages
from bench.evaluation.statistics.sample_errors import SampleErrors, SetErrors, set_errors
from bench.evaluation.statistics.significance import rank_intervals, rate_intervals


def board(seed, sizes=(60, 30, 20), seeds=(1, 1, 1), rates=None):
    """Return test sets with rows of `seeds`, each slightly worse than the previous one."""
    rng = np.random.default_rng(seed)
    rates = rates or [0.1 * (1 + index / 2) for index in range(len(seeds))]
    tests = []
    for samples in sizes:
        below = rng.integers(1, 9, samples)
        hard = below * rng.gamma(1, 1, samples)
        rows = [
            rng.poisson(rate * hard, (s, samples)) for rate, s in zip(rates, seeds, strict=True)
        ]
        tests.append(set_errors(below, rows))
    return tests


def moved(tests, change):
    """Return the test sets with rows changed by `change(rows)`."""
    return [SetErrors(test.denominators, tuple(change(test.errors))) for test in tests]


seeds_of_rows = st.lists(st.integers(1, 3), min_size=2, max_size=4)
averages = st.sampled_from(["weighted", "mean"])


@settings(max_examples=25)
@given(st.integers(0, 999), seeds_of_rows, averages, st.randoms(use_true_random=False))
def test_permuted_rows_have_permuted_statistics(seed, seeds, average, random):
    tests = board(seed, seeds=seeds)
    order = random.sample(range(len(seeds)), len(seeds))
    entries = compare_entries(tests, average, draws=100)
    permuted = compare_entries(
        moved(tests, lambda rows: [rows[index] for index in order]), average, draws=100
    )
    assert permuted == [entries[index] for index in order]


@settings(max_examples=25)
@given(st.integers(0, 999), seeds_of_rows, averages, st.integers(1, 3))
def test_more_errors_never_improve_the_rank_of_a_row(seed, seeds, average, more):
    tests = board(seed, seeds=seeds)
    worse = [
        SetErrors(test.denominators, (test.errors[0] + more * test.denominators, *test.errors[1:]))
        for test in tests
    ]
    before = compare_entries(tests, average, draws=100)
    after = compare_entries(worse, average, draws=100)
    assert after[0].rank_interval.best >= before[0].rank_interval.best
    assert after[0].rank_interval.worst >= before[0].rank_interval.worst
    assert after[0].leave_one_out >= before[0].leave_one_out
    for old, new in zip(before[1:], after[1:], strict=True):
        assert new.rank_interval.best <= old.rank_interval.best
        assert new.rank_interval.worst <= old.rank_interval.worst


def test_permuted_samples_change_only_the_random_draws():
    tests = board(0, (200, 100), (2, 3))
    order = [
        np.random.default_rng(t).permutation(len(test.denominators)) for t, test in enumerate(tests)
    ]
    permuted = [
        SetErrors(test.denominators[sampled], tuple(row[:, sampled] for row in test.errors))
        for test, sampled in zip(tests, order, strict=True)
    ]
    for original, reordered in zip(
        compare_entries(tests, "mean"), compare_entries(permuted, "mean"), strict=True
    ):
        width = original.mean.high - original.mean.low
        assert reordered.mean.low == pytest.approx(original.mean.low, abs=0.04 * width)
        assert reordered.weighted.high == pytest.approx(original.weighted.high, abs=0.04 * width)
        assert reordered.rank_interval == original.rank_interval
        assert reordered.leave_one_out == original.leave_one_out


@pytest.mark.parametrize("average", ["weighted", "mean"])
def test_with_one_test_set_averages_equal_its_interval_and_exact_ranks(average):
    tests = board(3, (200,), (1, 2, 3), rates=[0.05, 0.05, 0.2])
    rows = [tests[0].row(index) for index in range(3)]
    entries = compare_entries(tests, average, draws=500)
    alone = rate_intervals(rows, draws=500)
    assert [entry.sets for entry in entries] == [(around,) for around in alone]
    assert [entry.weighted for entry in entries] == [entry.mean for entry in entries] == alone
    assert [entry.rank_interval for entry in entries] == rank_intervals(rows)
    assert [entry.leave_one_out for entry in entries] == [None] * 3


@pytest.mark.parametrize("average", ["weighted", "mean"])
def test_one_seed_has_the_interval_of_an_independent_bootstrap_of_samples(average):
    tests = board(1, (500, 300, 200), (1,))
    weights = average_weights(tests, average)
    rng = np.random.default_rng(7)
    drawn = np.zeros(4000)
    for test, weight in zip(tests, weights, strict=True):
        size = len(test.denominators)
        sampled = rng.integers(0, size, (4000, size))
        errors = test.errors[0][0][sampled].sum(axis=1)
        drawn += weight * errors / test.denominators[sampled].sum(axis=1)
    entry = compare_entries(tests, average)[0]
    around = entry.weighted if average == "weighted" else entry.mean
    width = 2 * 1.96 * drawn.std()
    assert around.high - around.low == pytest.approx(width, rel=0.06)
    assert around.low == pytest.approx(np.quantile(drawn, 0.025), abs=0.06 * width)


def test_one_seed_has_the_bca_interval_of_scipy_over_several_samples():
    tests = board(2, (200, 100), (1,))
    columns = [column for test in tests for column in (test.errors[0][0], test.denominators)]
    rates = [errors / below for errors, below in zip(columns[::2], columns[1::2], strict=True)]
    # scipy resamples several samples independently only if they are unpaired: equal denominators.
    equal = [
        set_errors(np.ones(len(rate), int), [np.rint(100 * rate).astype(int)]) for rate in rates
    ]
    theirs = stats.bootstrap(
        [test.errors[0][0] for test in equal],
        lambda a, b, axis=-1: (a.mean(axis) + b.mean(axis)) / 2,
        vectorized=True, n_resamples=9999, rng=0, method="BCa",
    ).confidence_interval  # fmt: skip
    ours = compare_entries(equal, "mean")[0].mean
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_seeds_that_differ_widen_an_interval_and_one_seed_does_not():
    low, high = np.full((1, 400), 1), np.full((1, 400), 2)
    noise = np.random.default_rng(0).integers(0, 2, (1, 400))
    rows = [noise + low, np.vstack([noise + low, noise + high, noise + low])]
    tests = [set_errors([10] * 400, rows)] * 2
    original, three = (entry.mean for entry in compare_entries(tests, "mean"))
    assert three.high - three.low > 5 * (original.high - original.low)


def test_seeds_are_paired_between_test_sets():
    rng = np.random.default_rng(0)
    noise = rng.poisson(1, (2, 400))
    together = [noise + np.array([[0], [3]]), noise + np.array([[0], [3]])]
    opposed = [noise + np.array([[0], [3]]), noise + np.array([[3], [0]])]
    widths = []
    for rows in (together, opposed):
        tests = [set_errors([10] * 400, [errors]) for errors in rows]
        around = compare_entries(tests, "mean")[0].mean
        widths.append(around.high - around.low)
    assert widths[0] > 4 * widths[1]


@settings(max_examples=20)
@given(st.integers(0, 999), st.integers(1, 3), averages)
def test_identical_rows_share_all_ranks(seed, seeds, average):
    tests = moved(board(seed, seeds=(seeds,)), lambda rows: [*rows] * 3)
    for entry in compare_entries(tests, average, draws=50):
        assert entry.rank_interval == (1, 3)
        assert entry.leave_one_out == (1, 1)


def test_a_single_sample_per_set_separates_no_rows():
    tests = [set_errors([1], [[0], [1]], 1)] * 2
    assert [entry.rank_interval for entry in compare_entries(tests, "mean", draws=50)] == [
        (1, 2)
    ] * 2


def test_rows_without_an_error_still_have_an_interval():
    tests = [set_errors([1] * size, [[0] * size], 1) for size in (100, 300)]
    entry = compare_entries(tests, "weighted", draws=50)[0]
    assert entry.weighted.low == entry.mean.low == 0
    assert entry.weighted.high == pytest.approx(stats.binomtest(0, 400).proportion_ci(0.95).high)
    assert entry.mean.high == pytest.approx(stats.binomtest(0, 200).proportion_ci(0.95).high)


def test_clear_differences_are_ranked():
    tests = board(0, (400, 300, 200), (1, 3, 5), rates=[0.6, 0.05, 0.2])
    entries = compare_entries(tests, "weighted", draws=500)
    assert [str(entry.rank_interval) for entry in entries] == ["3", "1", "2"]


def test_ranks_are_by_the_chosen_average():
    easy, hard = [[0] * 90 + [1] * 10, [0] * 70 + [1] * 30], [[1] * 9 + [0], [0] * 9 + [1]]
    tests = [set_errors([1] * 100, easy, 1), set_errors([1] * 10, hard, 1)]
    tests.append(tests[0])
    weighted, mean = leave_one_out_ranks(tests, "weighted"), leave_one_out_ranks(tests, "mean")
    assert weighted == [(1, 1), (2, 2)]
    assert mean == [(1, 2), (1, 2)]


def test_negative_numerators_of_a_whole_corpus_metric_are_accepted():
    rng = np.random.default_rng(0)
    influence = [np.rint(1e6 * (0.3 + rng.standard_normal(200))).astype(int)[None] for _ in "ab"]
    with pytest.raises(BenchError, match="signed=True"):
        set_errors([10**6] * 200, influence, 1)
    tests = [set_errors([10**6] * 200, influence, 1, signed=True)] * 2
    for entry, row in zip(compare_entries(tests, "mean"), influence, strict=True):
        value, error = row.mean() / 1e6, stats.sem(row[0] / 1e6)
        assert entry.sets[0].low == pytest.approx(value - 1.96 * error, abs=0.1 * error)
        assert 0 <= entry.mean.low <= value <= entry.mean.high <= 1


def test_no_rows_and_no_test_sets():
    assert compare_entries([set_errors([1], [])] * 2, "mean") == []
    with pytest.raises(BenchError, match="no test set"):
        compare_entries([], "mean")


def test_incomplete_rows_are_an_error():
    tests = [set_errors([1], [[0], [1]]), set_errors([1], [[0]])]
    with pytest.raises(BenchError, match="leave out incomplete rows"):
        compare_entries(tests, "mean")
    with pytest.raises(BenchError, match="same seeds on every test set"):
        leave_one_out_ranks([set_errors([1], [[0]]), set_errors([1], [[[0], [1]]])], "mean")


def test_rows_of_set_errors_equal_sample_errors():
    row = set_errors([2, 3], [[1, 1], [[0, 1], [2, 0]]]).row(1)
    assert isinstance(row, SampleErrors)
    assert row.rate == pytest.approx(3 / 10)


@settings(max_examples=40)
@given(st.integers(0, 999), st.sampled_from([0, 0.5, 1]), st.integers(1, 2), averages)
def test_no_interval_leaves_the_bounds_of_a_rate(seed, rate, seeds, average):
    random = np.random.default_rng(seed)
    for least, largest in ((0, 1), (-2, 1), (0, np.inf)):
        tests = []
        for samples in (3, 7, 20):
            below = random.integers(1, 9, samples)
            part = random.binomial(below, rate, (2, seeds, samples))
            top = below if np.isinf(largest) else below * (largest - least)
            errors = np.where(part == below, top, part) + least * below
            tests.append(set_errors(below, [*errors], largest, least))
        entries = compare_entries(tests, average, draws=50)
        all_intervals = [each for row in entries for each in (*row.sets, row.weighted, row.mean)]
        assert all(least <= each.low <= each.high <= largest for each in all_intervals)
        rows = [[test.row(index) for test in tests] for index in (0, 1)]
        for count in (1, 3):
            weights = [1 / count] * count
            compared = compare_averages(rows[0][:count], rows[1][:count], weights, draws=50)
            span = largest - least
            assert -span <= compared.low <= compared.high <= span
