"""The ratio of blank frames on a board is that of the paths of its evaluations."""

from __future__ import annotations

import pytest

from bench.evaluation import predictions
from bench.evaluation.protocols import find_protocol
from bench.leaderboards import working
from bench.leaderboards.charts import board_figures

from ..conftest import FIRST, SECOND, write_evaluation


@pytest.mark.parametrize(
    ("paths", "expected"),
    [([[0, 0, 3, 3], [1, 0]], 3 / 6), ([[5], [5]], 0.0), ([None, None], None)],
)
def test_excluded_samples_add_no_frames(paths, expected):
    rows = predictions.Predictions(find_protocol("digits"))
    for number, path in enumerate(paths):
        rows.add(f"s{number}", "12", "12", confidence=0.5, path=path)
    rows.add("empty", "", "7", confidence=0.5, path=paths[0] and [0] * 50)
    assert predictions.blank_ratio(rows.table()) == expected


def test_rows_with_a_blank_have_its_ratio_on_each_test_set(config, suite, trials, store):
    for trial in trials:
        for column, evaluation in trial.evaluations.items():
            write_evaluation(store, evaluation, (), path=[0, 1, 2] if column == FIRST else [0, 1])
    board, _ = working.compute_working_board(config, suite)
    ratios = [result.blank_ratios for row in board.rows for result in row.seeds]
    assert ratios == [{FIRST: 0.333333, SECOND: 0.5}] * len(trials)
    assert "blank-accuracy" in board_figures(board)
