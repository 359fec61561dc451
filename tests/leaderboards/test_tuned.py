"""Tuned rows: beside their untuned like, with the tuning they had, wherever a board is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.config.suite import Suite, Tuned, Tuning
from bench.leaderboards import aggregate, difference, index, render, versions
from bench.leaderboards import rebuild as check
from bench.leaderboards.aggregate import Board, Names
from bench.trials import grid, plan
from bench.trials.store import Store

TUNING = Tuning("abc", "tpe", 20, 300)
DATASET, MODEL = "seq-digits(digits=2, rounds=1)", "cnn-bilstm(width=2, hidden=4)"
NOTE = (
    f"Tuned: {MODEL} × ctc, learning_rate = 0.02 on {DATASET}, the lowest validation CER of "
    "20 trials (300 epochs, sampler tpe, sweep abc); other rows had no such search."
)


@pytest.fixture
def tuned(suite) -> Suite:
    """Return the suite with a tuned entry of the labels of its first trials."""
    recipe = replace(suite.training, learning_rate=0.02)
    entry = Tuned(suite.datasets[0], suite.models[0], suite.losses[0], recipe, TUNING)
    return replace(suite, tuned=(entry,))


@pytest.fixture
def made(tuned, finish, store) -> Board:
    """Return a board on which the tuned row is the best, then radial-ctc, then ctc."""
    return make(tuned, finish, store)


def make(suite: Suite, finish, store: Store) -> Board:
    trials = grid.trials(suite)
    finish([t for t in trials if t.tuning], 90)
    finish([t for t in trials if not t.tuning and t.loss.name == "ctc"], 50)
    finish([t for t in trials if t.loss.name == "radial-ctc"], 60)
    return aggregate.board(suite, plan.survey(trials, store))


def test_a_tuned_row_stands_beside_its_like(made):
    assert [(row.rank, row.loss, row.tuning) for row in made.rows] == [
        (1, "ctc", TUNING),
        (2, "radial-ctc", None),
        (3, "ctc", None),
    ]
    best, _, like = made.rows
    assert best.names == Names(DATASET, MODEL, "ctc", "learning_rate = 0.02")
    assert like.names == Names(DATASET, MODEL, "ctc", "")
    assert best.training == {"learning_rate": 0.02}
    assert like.training == {}
    assert [len(row.seeds) for row in made.rows] == [2, 2, 2]
    assert {seed.key for seed in best.seeds}.isdisjoint(seed.key for seed in like.seeds)


def test_a_tuned_row_of_the_suite_s_own_recipe_is_told_by_its_label(suite, finish, store):
    entry = Tuned(
        suite.datasets[0],
        replace(suite.models[0], hidden=8),
        suite.losses[0],
        suite.training,
        TUNING,
    )
    best, *_ = make(replace(suite, tuned=(entry,)), finish, store).rows
    assert (best.tuning, best.training) == (TUNING, {})
    assert best.names.shown == f"cnn-bilstm(width=2, hidden=8) × ctc on {DATASET}"


def test_each_of_two_tuned_rows_of_the_same_labels_is_its_own(tuned, finish, store):
    (entry,) = tuned.tuned
    other = entry._replace(training=replace(entry.training, learning_rate=0.03))
    board = make(replace(tuned, tuned=(entry, other)), finish, store)
    recipes = ["learning_rate = 0.02", "learning_rate = 0.03", "", ""]
    assert [row.names.recipe for row in board.rows] == recipes
    assert [row.rank for row in board.rows] == [1, 1, 3, 4]


def test_what_is_missing_is_missing_of_one_of_them(tuned, finish, store):
    finish([trial for trial in grid.trials(tuned) if not trial.tuning], 50)
    board = aggregate.board(tuned, plan.survey(grid.trials(tuned), store))
    assert [(row.rank, bool(row.tuning)) for row in board.rows] == [
        (1, False),
        (1, False),
        (None, True),
    ]
    assert board.rows[-1].missing == {"0": "to do", "1": "to do"}
    assert "To do: 2 trials; `bench run tiny` runs them." in render.text(board)


def test_both_rows_have_the_speed_of_their_model(tuned, finish, store, make_profile):
    trials = grid.trials(tuned)
    finish(trials, 50)
    profile = make_profile(trials[0])
    board = aggregate.board(tuned, plan.survey(trials, store), [profile])
    speeds = [row.speed for row in board.rows if row.loss == "ctc"]
    assert len(speeds) == 2
    assert speeds[0] == speeds[1] is not None


@pytest.mark.parametrize("draw", [render.text, render.markdown])
def test_the_board_says_how_much_tuning_a_row_had(made, draw):
    drawn = draw(made)
    assert NOTE in drawn
    (header,) = [line for line in drawn.splitlines() if "sequence accuracy %" in line]
    words = [word for word in ("model", "loss", "tuning", "sequence accuracy %") if word in header]
    assert [header.index(word) for word in words] == sorted(header.index(word) for word in words)
    assert len(words) == 4
    first, second, third = [
        line for line in drawn.splitlines() if "cnn-bilstm  " in line or "| cnn-bilstm |" in line
    ]
    assert "20 trials" in first
    assert "trials" not in second + third


def test_without_a_tuned_row_nothing_is_said_of_tuning(suite, finish, store):
    finish(grid.trials(suite), 50)
    board = aggregate.board(suite, plan.survey(grid.trials(suite), store))
    for drawn in (render.text(board), render.markdown(board)):
        assert "tuning" not in drawn
        assert "Tuned" not in drawn


def test_the_untuned_rows_are_as_without_it(made, suite, store):
    alone = aggregate.board(suite, plan.survey(grid.trials(suite), store))
    untuned = [row for row in made.rows if not row.tuning]
    assert [replace(row, rank=None) for row in untuned] == [
        replace(row, rank=None) for row in alone.rows
    ]
    assert made.identity == alone.identity


def test_a_tuned_board_is_rebuilt_from_its_seeds_and_its_file(made, tmp_path):
    shuffled = [replace(row, rank=None, cer=None) for row in reversed(made.rows)]
    assert aggregate.recomputed(replace(made, rows=shuffled)) == made
    place = render.write(made, tmp_path / "boards")
    assert render.read(place) == made


@pytest.mark.parametrize(
    "recipe",
    [
        {"learning_rate": 0.02},
        {"learning_rate": 1 / 3, "optimizer": "sgd", "select": "last"},
        {"schedule": "multi-step", "milestones": (2, 4), "decay": 0.5},
    ],
)
def test_a_tuned_board_is_what_its_data_give(tuned, finish, store, home, recipe):
    (entry,) = tuned.tuned
    entry = entry._replace(training=replace(tuned.training, **recipe))
    board = make(replace(tuned, tuned=(entry,)), finish, store)
    place = render.write(board, home / "leaderboards")
    index.write(home / "leaderboards")
    assert render.read(place) == board
    assert check.check(home / "leaderboards") == [place]
    assert difference.between(board, render.read(place)).changed == []
    assert board.rows[0].training.keys() == recipe.keys()


def test_a_row_tells_what_of_the_suite_s_recipe_it_leaves_out(tuned, finish, store):
    patient = replace(tuned, training=replace(tuned.training, patience=9))
    assert make(patient, finish, store).rows[0].training == {"learning_rate": 0.02, "patience": 0}


def test_the_index_says_where_the_best_row_is_a_tuned_one(made, home):
    render.write(made, home / "leaderboards")
    page = index.page(home / "leaderboards")
    assert "| cnn-bilstm | ctc, tuned | 90.00 ± 0.00 |" in page


def test_a_difference_tells_a_tuned_row_from_its_like(made):
    before = replace(made, rows=[row for row in made.rows if not row.tuning])
    found = difference.between(aggregate.recomputed(before), made)
    assert found.added == [Names(DATASET, MODEL, "ctc", "learning_rate = 0.02")]
    assert found.removed == []
    assert {(change.row.loss, change.row.recipe, change.rank) for change in found.changed} == {
        ("radial-ctc", "", (1, 2)),
        ("ctc", "", (2, 3)),
    }
    assert f"Rows added:\n  {DATASET} · {MODEL} · ctc · learning_rate = 0.02" in difference.text(
        found
    )


def test_a_difference_of_a_tuned_row_names_its_recipe(made):
    best, *others = made.rows
    seeds = [replace(seed, sequence_accuracy=0.95) for seed in best.seeds]
    after = aggregate.recomputed(replace(made, rows=[replace(best, seeds=seeds), *others]))
    found = difference.between(made, after)
    (change,) = found.changed
    assert change.row.recipe == "learning_rate = 0.02"
    assert change.sequence_accuracy == pytest.approx(5)
    assert "ctc, learning_rate = 0.02" in difference.text(found)


def test_the_command_writes_and_checks_a_board_with_a_tuned_row(home, bench, finish):
    from bench.config import bench_toml as config

    file = home / "bench.toml"
    file.write_text(
        file.read_text() + "\n[[suite.tiny.tuned]]\n"
        'dataset = { name = "seq-digits", digits = 2, rounds = 1 }\n'
        'model = { name = "cnn-bilstm", width = 2, hidden = 4 }\nloss = "ctc"\n'
        "training = { learning_rate = 0.02 }\n"
        'tuning = { sweep = "abc", sampler = "tpe", trials = 20, epochs = 300 }\n'
    )
    finish(grid.trials(config.load(file).suite("tiny")), 50)
    answer = bench("board", "tiny")
    assert answer.code == 0
    assert NOTE in answer.out
    assert bench("board", "--check").code == 0
    assert NOTE in (home / "leaderboards/tiny/v1/README.md").read_text()
    assert "ctc, tuned     1" in bench("status", "tiny").out
    assert versions.everything(home / "leaderboards") == [home / "leaderboards/tiny/v1"]
