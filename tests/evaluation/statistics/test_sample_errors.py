from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.evaluation.statistics.sample_errors import require_same_samples, sample_errors

EDITS, LENGTHS = [1, 0, 5], [4, 2, 3]


def test_rates_are_sums_of_errors_by_sums_of_denominators():
    row = sample_errors("abc", LENGTHS, [EDITS])
    assert row.rate == 6 / 9
    assert row.sequence_errors.rate == pytest.approx(2 / 3)


def test_the_rate_is_the_mean_over_seeds():
    assert sample_errors("ab", [4, 6], [[1, 0], [2, 1]]).rate == pytest.approx((0.1 + 0.3) / 2)


def test_samples_are_sorted_by_id():
    row = sample_errors(["b", "c", "a"], [2, 3, 1], [[5, 6, 4], [8, 9, 7]])
    assert row.ids == ("a", "b", "c")
    assert row.denominators.tolist() == [1, 2, 3]
    assert row.errors.tolist() == [[4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("ids", "lengths", "errors", "why"),
    [
        ("", [], [[]], "the test set is empty"),
        ("aa", [1, 1], [[0, 0]], "occurs twice"),
        ("ab", [1], [[0, 0]], "one error count per seed and denominator"),
        ("abc", [1, 1], [0, 0], "3 sample ids need as many"),
        ("ab", [1, 1], np.zeros((0, 2), int), "one error count per seed and denominator"),
        ("ab", [1, 1], [[0.0, 0.5]], "must be integers"),
        ("ab", [1, 0], [[0, 0]], "a denominator is below 1"),
        ("ab", [1, 1], [[0, -1]], "within 0 and inf × its denominator"),
    ],
)
def test_invalid_numbers_are_an_error(ids, lengths, errors, why):
    with pytest.raises(BenchError, match=why):
        sample_errors(ids, lengths, errors)


def test_only_the_same_samples_are_compared():
    row = sample_errors("ab", [1, 1], [[0, 1]])
    require_same_samples(row, sample_errors("ba", [1, 1], [[0, 1]]))
    with pytest.raises(BenchError, match="2 are in only one of them, such as 'b'"):
        require_same_samples(row, sample_errors("ac", [1, 1], [[0, 1]]))
    with pytest.raises(BenchError, match="the denominators of sample 'b' differ"):
        require_same_samples(row, sample_errors("ab", [1, 2], [[0, 1]]))
