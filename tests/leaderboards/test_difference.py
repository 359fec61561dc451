"""What changed between two boards, and why."""

from __future__ import annotations

import json
import shutil

import pytest

from bench.core.text_table import draw
from bench.leaderboards import working
from bench.leaderboards.difference import board_difference, difference_blocks
from bench.trials import grid

from .conftest import FIRST, SECOND, write_evaluation


@pytest.fixture
def before(config, suite, finished):
    return working.write_working_board(config, suite)


def recomputed(config):
    return working.write_working_board(config, config.suite("tiny"))


def test_the_same_board_has_not_changed(before, config):
    change = board_difference(before, recomputed(config))
    assert change.is_empty
    assert draw(difference_blocks(change, before.metrics)).endswith("Nothing changed.")


def test_other_predictions_change_scores_and_ranks(before, config, trials, finish):
    finish(trials[::2], 30)
    change = board_difference(before, recomputed(config))
    moved = {each.label: each for each in change.changed}
    assert moved["cnn-bilstm · ctc"].rank == (1, 2)
    assert moved["cnn-bilstm · radial-ctc"].rank == (2, 1)
    scores = moved["cnn-bilstm · ctc"].scores
    assert scores == pytest.approx({"sequence-accuracy": -26 / 40, "cer": 26 / 80})
    shown = draw(difference_blocks(change, before.metrics))
    assert "1 → 2" in shown
    assert "-65.00" in shown
    assert "+32.50" in shown


def test_changed_keys_are_listed_by_seed(before, config, edit_toml, finish):
    renewed = edit_toml("epochs = 2", "epochs = 3")
    finish(grid.trials(renewed.suite("tiny")), 4)
    change = board_difference(before, recomputed(renewed))
    assert not change.added
    assert not change.removed
    assert {each.label: each.other_keys for each in change.changed} == {
        "cnn-bilstm · ctc": [0, 1],
        "cnn-bilstm · radial-ctc": [0, 1],
    }


def test_other_test_sets_change_the_identity(before, edit_toml, finish):
    smaller = edit_toml('    { name = "seq-digits", digits = 3, rounds = 1 },\n')
    finish(grid.trials(smaller.suite("tiny")), 4)
    change = board_difference(before, recomputed(smaller))
    assert change.identity
    assert "Protocol or test sets changed; the scores cannot be compared" in draw(
        difference_blocks(change, before.metrics)
    )


def test_rows_that_only_one_board_has_are_listed(before, edit_toml):
    smaller = edit_toml('losses = ["ctc", "radial-ctc"]', 'losses = ["ctc"]')
    change = board_difference(before, recomputed(smaller))
    assert change.removed == ["cnn-bilstm · radial-ctc"]
    assert board_difference(recomputed(smaller), before).added == change.removed


def test_changed_conditions_are_listed(before, edit_toml):
    more = edit_toml("seeds = [0, 1]", "seeds = [0, 1, 2]")
    change = board_difference(before, recomputed(more))
    assert change.conditions == ["seeds: [0, 1] → [0, 1, 2]"]


def test_a_missing_test_set_removes_the_average(before, config, store, trials):
    shutil.rmtree(store.folder(trials[0].evaluations[SECOND]))
    change = board_difference(before, recomputed(config))
    moved = {each.label: each for each in change.changed}
    assert moved["cnn-bilstm · ctc"].rank == (1, None)
    assert moved["cnn-bilstm · ctc"].scores == {}
    assert moved["cnn-bilstm · radial-ctc"].rank == (2, 1)
    assert "1 → –" in draw(difference_blocks(change, before.metrics))


def test_diff_compares_the_published_with_the_working_board(
    finished, published, bench, store, home
):
    write_evaluation(store, finished[0].evaluations[FIRST], range(9))
    assert bench("board", "tiny").code == 0
    answer = bench("board", "diff", "tiny")
    assert answer.code == 0
    assert answer.out.startswith("tiny/v1 → tiny (working)\n")
    document = json.loads(bench("board", "diff", "tiny", "tiny/v1", "--json").out)
    assert (document["before"], document["after"]) == ("tiny (working)", "tiny/v1")
    assert [each["label"] for each in document["changed"]] == ["cnn-bilstm · ctc"]
    assert bench("board", "diff", "tiny/v1", "leaderboards/tiny/v1").out.endswith(
        "Nothing changed.\n"
    )


def test_diff_needs_both_boards(finished, bench):
    answer = bench("board", "diff", "tiny")
    assert (answer.code, "'tiny' has no working board" in answer.err) == (3, True)
    assert bench("board", "tiny").code == 0
    answer = bench("board", "diff", "tiny")
    assert (answer.code, "no board of 'tiny' is published" in answer.err) == (3, True)


def test_an_unknown_board_is_reported_with_the_nearest_name(finished, bench):
    assert bench("board", "tiny").code == 0
    answer = bench("board", "diff", "tiny", "tinny")
    assert (answer.code, "did you mean 'tiny'?" in answer.err) == (2, True)
