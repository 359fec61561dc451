from __future__ import annotations

import numpy as np
import pytest
from bench.evaluation.metrics.error_rates import Edits, error_rates

from bench.core.errors import BenchError
from bench.evaluation.statistics.sample_errors import outcomes, same_samples

PAIRS = [Edits(1, 4), Edits(0, 2), Edits(5, 3)]


def test_rates_are_those_of_the_board():
    row = outcomes("abc", [pair.length for pair in PAIRS], [[pair.edits for pair in PAIRS]])
    board = error_rates(PAIRS)
    assert row.rate == board.cer
    assert row.misread.rate == pytest.approx(1 - board.sequence_accuracy)


def test_the_rate_is_the_mean_over_seeds():
    assert outcomes("ab", [4, 6], [[1, 0], [2, 1]]).rate == pytest.approx((0.1 + 0.3) / 2)


def test_samples_come_in_order_of_their_ids():
    row = outcomes(["b", "c", "a"], [2, 3, 1], [[5, 6, 4], [8, 9, 7]])
    assert row.ids == ("a", "b", "c")
    assert row.lengths.tolist() == [1, 2, 3]
    assert row.errors.tolist() == [[4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("ids", "lengths", "errors", "why"),
    [
        ("", [], [[]], "no sample is left"),
        ("aa", [1, 1], [[0, 0]], "named twice"),
        ("ab", [1], [[0, 0]], "2 samples need as many lengths"),
        ("ab", [1, 1], [0, 0], "2 samples need as many lengths"),
        ("ab", [1, 1], np.zeros((0, 2), int), "2 samples need as many lengths"),
        ("ab", [1, 1], [[0.0, 0.5]], "thus integers"),
        ("ab", [1, 0], [[0, 0]], "length of at least 1"),
        ("ab", [1, 1], [[0, -1]], "no fewer errors than 0"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(ids, lengths, errors, why):
    with pytest.raises(BenchError, match=why):
        outcomes(ids, lengths, errors)


def test_only_the_same_samples_are_compared():
    row = outcomes("ab", [1, 1], [[0, 1]])
    same_samples(row, outcomes("ba", [1, 1], [[0, 1]]))
    with pytest.raises(BenchError, match="2 are in one of them alone, 'b' first"):
        same_samples(row, outcomes("ac", [1, 1], [[0, 1]]))
    with pytest.raises(BenchError, match="sample 'b' has other lengths"):
        same_samples(row, outcomes("ab", [1, 2], [[0, 1]]))
