"""Scores on groups of samples of a test set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.evaluation import protocols
from bench.evaluation.predictions import Predictions
from bench.evaluation.sample_properties import with_properties
from bench.leaderboards import board as boards
from bench.leaderboards import ranking
from bench.leaderboards.formats.slice_tables import slice_blocks
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.leaderboards.samples.properties import (
    MAX_GROUPS,
    MIN_SAMPLES,
    OTHERS,
    properties_of,
    sample_groups,
)
from tests.references.synthetic_boards import ACCURACY, synthetic_board


def test_a_group_has_the_score_of_its_samples():
    board, counts = synthetic_board(rows=3, tests=1, samples=90, seeds=2)
    (column,) = board.columns
    members = sample_groups(counts[column.name])
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


def test_small_groups_and_properties_with_a_single_group_are_left_out():
    samples = 2 * MIN_SAMPLES + 3
    lengths = [2] * MIN_SAMPLES + [5] * MIN_SAMPLES + [200] * 3
    counts = ColumnCounts.build(
        [f"{n}" for n in range(samples)],
        {"cer": lengths},
        {"cer": {"k": [0] * samples}},
        {"case": ["lower case"] * samples},
    )
    assert {name: [*each] for name, each in sample_groups(counts).items()} == {
        "length": ["0–3", "4–6"]
    }


def properties(**known):
    """Return the properties of samples in predictions with these columns."""
    rows = Predictions(protocols.find_protocol("digits"))
    for number in range(len(next(iter(known.values())))):
        rows.add(f"{number}", "1", "1")
    return properties_of(with_properties(rows.table(), known))


def grouped(**known):
    """Return the number of samples of each group by property."""
    values = properties(**known)
    samples = len(next(iter(values.values())))
    counts = ColumnCounts.build(
        [f"{n}" for n in range(samples)], {"cer": [1] * samples}, {}, values
    )
    return {
        by: {label: int(where.sum()) for label, where in each.items()}
        for by, each in sample_groups(counts).items()
    }


def test_images_are_grouped_by_aspect_ratio():
    known = properties(width=[9, 10, 19, 20, 40, 59, 60, 600], height=[10] * 8)
    assert known["aspect ratio"].tolist() == [
        *("below 1", "1–2", "1–2", "2–4", "4–6", "4–6", "6 and more", "6 and more")
    ]
    assert grouped(width=[10, 30, 70] * MIN_SAMPLES, height=[10, 10, 10] * MIN_SAMPLES) == {
        "aspect ratio": {"1–2": MIN_SAMPLES, "2–4": MIN_SAMPLES, "6 and more": MIN_SAMPLES}
    }


def test_clips_are_grouped_by_number_of_frames():
    known = properties(frames=[1, 49, 50, 149, 150, 249, 250, 900])
    assert known["frames"].tolist() == [
        *("below 50", "below 50", "50–99", "100–149", "150–199", "200–249"),
        *("250 and more", "250 and more"),
    ]


def test_the_largest_groups_of_writers_are_kept_and_the_others_merged():
    large = [f"w{n:02}" for n in range(MAX_GROUPS + 3) for _ in range(MIN_SAMPLES + n)]
    small = [f"x{n}" for n in range(MIN_SAMPLES)]
    shown = grouped(writer=[*large, *small, OTHERS, *[""] * 99])
    named = {f"w{n:02}": MIN_SAMPLES + n for n in range(3, MAX_GROUPS + 3)}
    merged = sum(MIN_SAMPLES + n for n in range(3)) + MIN_SAMPLES + 1
    assert shown == {"writer": {**named, OTHERS: merged}}
    assert [*shown["writer"]] == [*named, OTHERS]
    two = ["a"] * MIN_SAMPLES + ["b"] * MIN_SAMPLES
    assert grouped(signer=[*two, "c"]) == {"signer": {"a": MIN_SAMPLES, "b": MIN_SAMPLES}}
    assert grouped(source=["a"] * 50 + [""] * 50) == grouped(writer=small) == {}


def test_a_property_that_samples_do_not_have_is_reported():
    board, _ = synthetic_board(rows=2, tests=1, samples=120, seeds=1)
    with pytest.raises(BenchError, match="did you mean 'length'"):
        slice_blocks(board, "lenght")
    assert "accuracy % on iiit5k by length:" in slice_blocks(board, "length")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 2), st.integers(3, 30))
def test_intervals_stay_within_the_bounds_of_the_metric(random, seeds, tests, samples):
    board, counts = synthetic_board(
        rows=3, tests=tests, samples=samples, seeds=seeds, random=random
    )
    for row in ranking.with_scores(board, counts).rows:
        for metric in board.metrics:
            scores = [*row.scores.get(metric.name, {}).values()]
            scores += row.averages.get(metric.name, {}).values()
            if metric.name == board.ranked_by:
                scores += [s for each in row.slices.values() for by in each.values() for s in by]
            for score in scores:
                assert 0 <= score.low <= score.high <= (metric.max_value or float("inf"))


@pytest.mark.parametrize("scores", [[], [None] * 9])
def test_a_board_whose_rows_have_other_slices_than_its_test_sets_is_refused(tmp_path, scores):
    board, _ = synthetic_board(rows=2, tests=1, samples=90, seeds=1)
    name = board.columns[0].name
    row = replace(board.rows[0], slices={name: {"length": scores}})
    (tmp_path / boards.BOARD_FILE).write_bytes(boards.board_json(replace(board, rows=[row])))
    with pytest.raises(
        BenchError, match="does not have one score per group of 'iiit5k' by 'length'"
    ):
        boards.read_board(tmp_path)
