"""Scores on parts of a test set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.leaderboards import ranking
from bench.leaderboards.formats.slice_tables import slice_text
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.leaderboards.samples.properties import MIN_SAMPLES, groups
from tests.references.synthetic_boards import ACCURACY, synthetic_board


def test_a_slice_has_the_score_of_its_samples():
    board, counts = synthetic_board(rows=3, tests=1, samples=90, seeds=2)
    (column,) = board.columns
    members = groups(counts[column.name])
    assert members.keys() == column.slices.keys() == {"length", "aspect ratio"}
    for row in board.rows:
        for name, scores in row.slices.get(column.name, {}).items():
            for where, score in zip(members[name].values(), scores, strict=True):
                read = [
                    counts[column.name].numerators[ACCURACY.name][key][where].mean()
                    for seed in row.seeds
                    for key in seed.evaluations.values()
                ]
                assert score.mean == pytest.approx(np.mean(read))
                assert 0 <= score.low <= score.mean <= score.high <= 1


def test_groups_of_few_samples_are_left_out_and_a_single_group_breaks_nothing_down():
    samples = 2 * MIN_SAMPLES + 3
    lengths = [2] * MIN_SAMPLES + [5] * MIN_SAMPLES + [200] * 3
    counts = ColumnCounts.of(
        [f"{n}" for n in range(samples)],
        {"cer": lengths},
        {"cer": {"k": [0] * samples}},
        {"case": ["lower case"] * samples},
    )
    assert {name: [*each] for name, each in groups(counts).items()} == {"length": ["0–3", "4–6"]}


def test_a_property_that_samples_do_not_have_is_named():
    board, _ = synthetic_board(rows=2, tests=1, samples=120, seeds=1)
    with pytest.raises(BenchError, match="did you mean 'length'"):
        slice_text(board, "lenght")
    assert "accuracy % on iiit5k by length:" in slice_text(board, "length")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 2), st.integers(3, 30))
def test_every_interval_stays_within_what_a_rate_can_be(random, seeds, tests, samples):
    board, counts = synthetic_board(
        rows=3, tests=tests, samples=samples, seeds=seeds, random=random
    )
    for row in ranking.scored(board, counts).rows:
        for metric in board.metrics:
            scores = [*row.scores.get(metric.name, {}).values()]
            scores += row.averages.get(metric.name, {}).values()
            if metric.name == board.ranked_by:
                scores += [s for each in row.slices.values() for by in each.values() for s in by]
            for score in scores:
                assert 0 <= score.low <= score.high <= (metric.max_value or float("inf"))
