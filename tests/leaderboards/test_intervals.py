from __future__ import annotations

import numpy as np
import pytest

from bench.evaluation.statistics import significance as statistics
from bench.leaderboards.board_samples import Samples
from bench.leaderboards.intervals import certainties, outcomes

N = 400


@pytest.fixture
def samples():
    """Return two seeds of a good reader and one each of two bad ones."""
    rng = np.random.default_rng(0)
    edits = {
        key: (rng.random(N) < misread).astype(int).tolist()
        for key, misread in [("a0", 0.05), ("a1", 0.06), ("b0", 0.4), ("c0", 0.41)]
    }
    return Samples([str(n) for n in range(N)], [4] * N, edits)


def test_intervals_and_ranks_are_those_of_the_statistics(samples):
    rows = [["a0"], ["b0"], ["c0"]]
    found = certainties(rows, samples)
    assert [(one.best, one.worst) for one in found] == [(1, 1), (2, 3), (2, 3)]
    for keys, one in zip(rows, found, strict=True):
        row = outcomes(keys, samples)
        accuracy, rate = statistics.interval(row.sequence_errors), statistics.interval(row)
        assert one.sequence_accuracy == pytest.approx(
            (1 - accuracy.high, 1 - accuracy.low), abs=1e-6
        )
        assert one.cer == pytest.approx((rate.low, rate.high), abs=1e-6)
        assert one.sequence_accuracy.low < 1 - row.sequence_errors.rate < one.sequence_accuracy.high


def test_a_row_has_all_its_seeds(samples):
    row = outcomes(["a0", "a1"], samples)
    assert row.errors.shape == (2, N)
    assert row.rate == pytest.approx(
        (sum(samples.edits["a0"]) + sum(samples.edits["a1"])) / (2 * 4 * N)
    )
    (found,) = certainties([["a0", "a1"]], samples)
    assert (found.best, found.worst) == (1, 1)


def test_no_row_gives_none(samples):
    assert certainties([], samples) == []


def test_ranks_may_be_those_of_error_rates(samples):
    wrong = {"few": [1] * 40 + [0] * (N - 40), "many": [20] * 40 + [0] * (N - 40)}
    samples = Samples(samples.ids, [30] * N, wrong)
    by_accuracy, by_error = (
        certainties([["few"], ["many"]], samples, by_error=by_error) for by_error in (False, True)
    )
    assert [(one.best, one.worst) for one in by_accuracy] == [(1, 2), (1, 2)]
    assert [(one.best, one.worst) for one in by_error] == [(1, 1), (2, 2)]
