from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from corpora import Law, corpus, read, sequence_error_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.core.errors import BenchError
from bench.evaluation.statistics import confidence
from bench.evaluation.statistics import significance as statistics
from bench.evaluation.statistics.resampling import resampled_sums
from bench.evaluation.statistics.sample_errors import sample_errors
from bench.evaluation.statistics.significance import (
    RankInterval,
    compare_rows,
    detectable_difference,
    holm_adjusted,
    p_value,
    rank_intervals,
    rate_interval,
    rate_intervals,
)

counts = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(1, 9), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 5), min_size=n, max_size=n), min_size=1, max_size=3),
    )
)


def row(lengths, errors):
    return sample_errors([f"{index:06}" for index in range(len(lengths))], lengths, errors)


def pair(law, seed=0):
    rng = np.random.default_rng(seed)
    test = corpus(rng, law)
    return read(rng, law, test), read(rng, law, test)


@settings(max_examples=60)
@given(counts, st.randoms(use_true_random=False))
def test_neither_the_order_of_samples_nor_that_of_seeds_matters(case, random):
    lengths, errors = case
    indices = list(range(len(lengths)))
    random.shuffle(indices)
    ids = [f"{index:06}" for index in indices]
    shuffled = [[seed[index] for index in indices] for seed in random.sample(errors, len(errors))]
    other = sample_errors(ids, [lengths[index] for index in indices], shuffled)
    result = rate_interval(row(lengths, errors), draws=100)
    again = rate_interval(other, draws=100)
    assert (again.low, again.high) == pytest.approx((result.low, result.high))
    assert p_value(row(lengths, errors), row(lengths, errors[:1])) == pytest.approx(
        p_value(other, row(lengths, errors[:1]))
    )


@settings(max_examples=60)
@given(counts)
def test_an_interval_is_within_bounds_and_scales_with_the_unit(case):
    lengths, errors = case
    result = rate_interval(row(lengths, errors), draws=200)
    assert 0 <= result.low <= result.high
    assert result.low <= row(lengths, errors).rate + 1e-12
    misread = rate_interval(row(lengths, errors).sequence_errors, draws=200)
    assert 0 <= misread.low <= misread.high <= 1
    if np.ptp(np.sum(errors, axis=0) / lengths):
        scaled = rate_interval(row(lengths, 7 * np.array(errors)), draws=200)
        assert (scaled.low, scaled.high) == pytest.approx((7 * result.low, 7 * result.high))


@settings(max_examples=60)
@given(counts)
def test_a_row_against_itself_is_a_tie(case):
    result = row(*case)
    assert p_value(result, result) == p_value(result.sequence_errors, result.sequence_errors) == 1
    compared = compare_rows(result, result, draws=50)
    assert compared.difference == 0
    assert compared.p == 1
    assert compared.low <= 0 <= compared.high
    assert rank_intervals([result, result, result]) == [RankInterval(1, 3)] * 3


@settings(max_examples=40)
@given(counts, st.integers(0, 99))
def test_swapped_rows_mirror_their_comparison(case, seed):
    lengths, errors = case
    others = np.random.default_rng(seed).permuted(errors, axis=1)
    a, b = row(lengths, errors), row(lengths, others)
    forward, back = compare_rows(a, b, draws=50), compare_rows(b, a, draws=50)
    assert forward.difference == pytest.approx(-back.difference)
    assert forward.p == pytest.approx(back.p)
    assert forward.detectable == pytest.approx(back.detectable)


def test_one_seed_has_the_bca_interval_of_scipy_except_for_the_stretch():
    law = Law(400, 1, tail=0.3, own=0)
    result, _ = pair(law)
    theirs = stats.bootstrap(
        (result.errors[0], result.denominators),
        lambda errors, lengths, axis=-1: errors.sum(axis) / lengths.sum(axis),
        paired=True, vectorized=True, n_resamples=10_000, batch=500, rng=0,
    ).confidence_interval  # fmt: skip
    ours = rate_interval(result)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_an_interval_follows_all_resamples_of_four():
    lengths, errors = np.array([2, 3, 1, 4]), np.array([[1, 0, 2, 1]])
    every = np.array(list(itertools.product(range(4), repeat=4)))
    exact = np.sort(errors[0][every].sum(1) / lengths[every].sum(1))
    drawn = resampled_sums(np.stack([errors[0], lengths], axis=1), 20_000, 0)
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    result = np.quantile(drawn[:, 0] / drawn[:, 1], shares, method="inverted_cdf")
    for value, share in zip(result, shares, strict=True):
        assert np.mean(exact < value - 1e-12) - 0.01 <= share <= np.mean(exact <= value) + 0.01


def test_an_interval_does_not_depend_on_other_rows():
    a, b = pair(Law(50, 2))
    assert rate_intervals([b, a, b.sequence_errors])[1] == rate_interval(a)
    assert rate_intervals([]) == []
    with pytest.raises(BenchError, match="different numbers of samples"):
        rate_intervals([a, row([1], [[0]])])


def test_no_error_still_has_an_interval():
    result = rate_interval(row([1] * 100, [[0] * 100]))
    assert result.low == 0
    assert result.high == pytest.approx(stats.binomtest(0, 100).proportion_ci(0.95).high)
    all_wrong = rate_interval(row([1] * 100, [[1] * 100]).sequence_errors)
    assert all_wrong.low == pytest.approx(1 - result.high)
    assert all_wrong.high == 1


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_accuracies_of_one_seed_are_compared_by_mcnemar(errors):
    a, b = (
        row([3] * len(errors), [column]).sequence_errors for column in zip(*errors, strict=True)
    )
    worse, better = int((a.errors > b.errors).sum()), int((a.errors < b.errors).sum())
    expected = stats.binomtest(worse, worse + better).pvalue if worse + better else 1
    assert p_value(a, b) == pytest.approx(expected)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9))
def test_one_seed_is_compared_by_all_flips_of_signs(errors):
    a, b = (row([4] * len(errors), [column]) for column in zip(*errors, strict=True))
    differences = (a.errors - b.errors)[0]
    flips = np.array(list(itertools.product((-1, 1), repeat=len(errors)))) @ differences
    expected = np.mean(np.abs(flips) >= abs(differences.sum()))
    assert p_value(a, b) == pytest.approx(expected)


def test_one_seed_has_the_p_value_of_scipys_permutation_test():
    random = np.random.default_rng(3)
    lengths = random.integers(1, 9, 12)
    errors = [random.binomial(lengths, rate) for rate in (0.2, 0.45)]
    a, b = (sample_errors([f"{n:02}" for n in range(12)], lengths, each) for each in errors)

    def difference(x, y, axis):
        return (x - y).sum(axis=axis)

    theirs = stats.permutation_test(
        errors, difference, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    # Both have all 2^12 signs; scipy's sums and the Fourier transform are exact to 1e-12.
    assert p_value(a, b) == pytest.approx(theirs.pvalue, abs=1e-9)
    assert 0 < theirs.pvalue < 1


def test_equal_scores_of_seeds_do_not_make_a_difference_significant():
    a = row([1] * 4, [[1, 1, 0, 0], [0, 0, 1, 1]])
    b = row([1] * 4, [[0, 0, 0, 1], [0, 1, 0, 0]])
    assert p_value(a, b) > 0.05


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(probabilities):
    indices = range(len(probabilities))
    for index, adjusted in zip(indices, holm_adjusted(probabilities), strict=True):
        containing = [
            subset
            for size in indices
            for subset in itertools.combinations(indices, size + 1)
            if index in subset
        ]
        worst = max(len(s) * min(probabilities[i] for i in s) for s in containing)
        assert adjusted == pytest.approx(min(1, worst))


def test_rows_without_significant_differences_share_rank_intervals(monkeypatch):
    rows = [row([10], [[errors]]) for errors in (5, 1, 2, 9)]
    significant = {frozenset(names) for names in ((1, 5), (1, 9), (2, 9), (5, 9))}
    monkeypatch.setattr(
        statistics,
        "p_value",
        lambda a, b: (
            0.001 if frozenset((int(a.errors.sum()), int(b.errors.sum()))) in significant else 0.5
        ),
    )
    assert [str(indices) for indices in rank_intervals(rows)] == ["2–3", "1–2", "1–3", "4"]


def test_few_and_no_rows_have_ranks_too():
    assert rank_intervals([]) == []
    assert [str(indices) for indices in rank_intervals([row([1], [[0]])])] == ["1"]


def test_rows_with_other_samples_are_an_error():
    a, b = row([1, 1], [[0, 1]]), row([1, 1, 1], [[0, 1, 1]])
    for refused in (
        lambda: compare_rows(a, b),
        lambda: p_value(a, b),
        lambda: rank_intervals([a, b]),
    ):
        with pytest.raises(BenchError, match="such as '000002'"):
            refused()


def test_a_detectable_difference_is_significant_in_80_percent():
    # McNemar: 10 % of 2,000 samples are read correctly by only one of the rows.
    samples, share, trials = 2000, 0.1, 500
    difference = detectable_difference(samples, math.sqrt(share))
    rng = np.random.default_rng(0)
    worse = rng.binomial(samples, (share + difference) / 2, trials)
    better = rng.binomial(
        samples - worse, (share - difference) / 2 / (1 - (share + difference) / 2)
    )
    result = [stats.binomtest(w, w + b).pvalue < 0.05 for w, b in zip(worse, better, strict=True)]
    assert np.mean(result) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("wrong", [(0, 1), (5, -1), (5, 1, 0), (5, 1, 0.05, 1)])
def test_values_out_of_range_are_an_error(wrong):
    with pytest.raises(BenchError, match="a detectable difference requires at least one sample"):
        detectable_difference(*wrong)


LAWS = [
    Law(samples, seeds, spread)
    for samples in (300, 1000, 3000)
    for seeds in (1, 2, 3, 5)
    for spread in ((0, 0.05, 0.15) if seeds > 1 else (0,))
]


@pytest.fixture
def one_set_of_draws(monkeypatch):
    """Draw the resamples once for all corpora of a size, because they do not depend on them."""
    counts_by_size = {}

    def shared(columns, draws, seed):
        samples = len(columns)
        if samples not in counts_by_size:
            counts_by_size.clear()
            counts_by_size[samples] = resampled_sums(np.eye(samples, dtype=np.int64), draws, seed)
        return counts_by_size[samples] @ columns

    monkeypatch.setattr(confidence, "resampled_sums", shared)


def coverage(law, corpora, draws, *, misread=False):
    rng = np.random.default_rng(0)
    truth = sequence_error_rate(law) if misread else law.rate
    hits = 0
    for _ in range(corpora):
        result = read(rng, law, corpus(rng, law))
        around = rate_interval(result.sequence_errors if misread else result, draws=draws)
        hits += around.low <= truth <= around.high
    return hits / corpora


def false_alarms(law, corpora, *, misread=False):
    rng = np.random.default_rng(0)
    result = 0
    for _ in range(corpora):
        test = corpus(rng, law)
        rows = [read(rng, law, test) for _ in range(2)]
        result += p_value(*([r.sequence_errors for r in rows] if misread else rows)) < 0.05
    return result / corpora


@pytest.mark.usefixtures("one_set_of_draws")
@pytest.mark.parametrize("law", [Law(300, 1), Law(300, 3, 0.05), Law(300, 5, 0.15)])
def test_intervals_contain_the_true_rate(law):
    assert coverage(law, 250, 500) == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("law", [Law(300, 1), Law(300, 5, 0.05)])
def test_equal_rows_are_rarely_significantly_different(law):
    assert false_alarms(law, 200) <= 0.085


@pytest.mark.slow
@pytest.mark.usefixtures("one_set_of_draws")
@pytest.mark.parametrize("misread", [False, True])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_95_percent_intervals_contain_the_true_rate_in_93_to_97_percent(law, misread):
    # The tolerance is the sampling error of 1,000 corpora: 0.7 points per standard error.
    assert 0.93 - 0.01 <= coverage(law, 1000, 2000, misread=misread) <= 0.97 + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("misread", [False, True])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_equal_rows_are_significantly_different_in_at_most_5_percent(law, misread):
    assert false_alarms(law, 1000, misread=misread) <= 0.065
