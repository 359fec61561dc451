"""A suite's trials: their order, their names, and what is selected of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.config import bench_toml
from bench.core.errors import BenchError, Exit
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.trials import grid
from bench.trials.selection import Selection, widened

DATA = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
TWO_TESTS = (
    'train = [{ name = "seq-digits", digits = 2, rounds = 1 }]\n'
    'tests = [{ name = "seq-digits", digits = 2, rounds = 1 }, "seq-digits"]'
)


@pytest.fixture
def edited(home):
    """Return a function that gives the suite `tiny` with passages of bench.toml replaced."""
    file = home / "bench.toml"

    def suite(*changes: tuple[str, str]):
        text = file.read_text()
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file.write_text(text)
        return bench_toml.load(file).suite("tiny")

    return suite


def test_all_of_one_seed_come_before_the_next(edited):
    suite = edited(("[0, 1]", "[3, 1]"), ("seeds =", 'decoders = ["greedy", "beam"]\nseeds ='))
    assert [(trial.seed, trial.entry) for trial in grid.trials(suite)] == [
        (seed, entry) for seed in (3, 1) for entry in suite.entries
    ]
    assert len(suite.entries) == 4


def test_a_trial_carries_what_the_suite_says(suite, trials):
    for trial in trials:
        (evaluation,) = trial.evaluations.values()
        (training,) = trial.trainings
        assert evaluation.training == training
        assert trial.tasks == [training, evaluation]
        assert evaluation.protocol is suite.protocol
        assert training.recipe == trial.entry.recipe == suite.recipe
        assert training.resources is suite.resources
        assert training.seed == trial.seed == evaluation.seed
    training = trials[0].trainings[0]
    assert training.labels == {
        "data": "seq-digits(digits=2, rounds=1)",
        "model": "cnn-bilstm(width=2, hidden=4)",
        "loss": "ctc",
    }


def test_a_trial_has_an_evaluation_per_column_and_one_training_for_all(edited):
    trials = grid.trials(edited((DATA, TWO_TESTS)))
    for trial in trials:
        assert [*trial.evaluations] == ["seq-digits(digits=2, rounds=1)", "seq-digits"]
        assert len(trial.trainings) == 1
    tasks = grid.tasks(trials)
    assert [task.kind for task in tasks] == ["training"] * 4 + ["evaluation"] * 8


def test_the_short_form_has_a_training_per_data_set(edited):
    both = DATA.replace("}]", '}, "seq-digits"]')
    for trial in grid.trials(edited((DATA, both))):
        assert len(trial.trainings) == 2
        for evaluation in trial.evaluations.values():
            assert evaluation.training.data == (evaluation.test,)


def test_entries_that_differ_by_their_decoder_share_trainings(edited):
    trials = grid.trials(edited(("seeds =", 'decoders = ["greedy", "beam"]\nseeds =')))
    tasks = grid.tasks(trials)
    assert [task.kind for task in tasks].count("training") == 4
    assert [task.kind for task in tasks].count("evaluation") == 8


def test_two_entries_that_are_the_same_trial_are_refused(edited):
    both = '{ name = "cnn-bilstm", width = 2, hidden = 4 }'
    suite = edited((both, f"{both}, {both.replace('4 }', '4, recipe = { epochs = 1 } }')}"))
    with pytest.raises(BenchError) as caught:
        grid.trials(suite)
    label = "cnn-bilstm(width=2, hidden=4) · ctc"
    assert str(caught.value) == (
        f"suite 'tiny': '{label}' and '{label}' are the same trial; remove one of them"
    )


def labels(suite) -> list[str]:
    return grid.row_labels(suite.entries)


def test_rows_are_called_by_what_tells_them_apart(edited):
    assert labels(edited()) == ["cnn-bilstm · ctc", "cnn-bilstm · radial-ctc"]
    more = '"radial-ctc", { name = "radial-ctc", eta = 0.5 }'
    assert labels(edited(('"radial-ctc"', more)))[1:] == [
        "cnn-bilstm · radial-ctc",
        "cnn-bilstm · radial-ctc(eta=0.5)",
    ]


def test_rows_of_other_decoders_name_them(edited):
    suite = edited(("seeds =", 'decoders = ["greedy", "beam"]\nseeds ='), ('"ctc", ', ""))
    assert labels(suite) == ["cnn-bilstm · radial-ctc · greedy", "cnn-bilstm · radial-ctc · beam"]


@pytest.mark.parametrize(
    ("keys", "detail"),
    [
        ("input = { normalization = 'signed' }", "frames as they are"),
        ("train = ['seq-digits']", "seq-digits"),
        ("recipe = { epochs = 7 }", "epochs = 7, batch_size = 64, learning_rate = 0.01"),
    ],
)
def test_rows_that_differ_in_input_recipe_or_training_data_alone_name_it(edited, keys, detail):
    model = '{ name = "cnn-bilstm", width = 2, hidden = 4 }'
    suite = edited((model, f"{model}, {model.replace(' }', f', {keys} }}')}"), ('"ctc", ', ""))
    first, second = labels(suite)
    assert second == f"cnn-bilstm · radial-ctc ({detail})"
    assert first != second


def test_a_label_is_what_a_row_is_called(edited):
    suite = edited(("hidden = 4", "hidden = 4, label = 'small one'"))
    assert labels(suite) == ["small one · ctc", "small one · radial-ctc"]


def test_each_task_has_a_name_of_its_own(edited):
    trials = grid.trials(edited((DATA, TWO_TESTS)))
    names = grid.task_names(trials)
    assert names.keys() == {task.key for task in grid.tasks(trials)}
    assert len(set(names.values())) == len(names)
    training, evaluation = trials[0].trainings[0], trials[0].evaluations["seq-digits"]
    assert names[training.key] == "cnn-bilstm · ctc · seed 0"
    assert names[evaluation.key] == "cnn-bilstm · ctc on seq-digits · seed 0"


def test_the_name_of_a_training_has_no_decoder(edited):
    decoders = ('losses = ["ctc", "radial-ctc"]', 'losses = ["ctc"]\ndecoders = ["greedy", "beam"]')
    trials = grid.trials(edited(decoders))
    names = grid.task_names(trials)
    assert names[trials[0].trainings[0].key] == "cnn-bilstm · ctc · seed 0"
    keys = [trial.evaluations["seq-digits"].key for trial in trials[:2]]
    assert [names[key] for key in keys] == [
        f"cnn-bilstm · ctc · {decoder} on seq-digits · seed 0" for decoder in ("greedy", "beam")
    ]


def chosen(trials, **wanted) -> list[int]:
    return [trials.index(trial) for trial in Selection(**wanted).select(trials)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"losses": ["ctc"]}, [0, 2]),
        ({"losses": ["*ctc"]}, [0, 1, 2, 3]),
        ({"losses": ["radial*"]}, [1, 3]),
        ({"losses": ["radial-ctc", "ctc"]}, [0, 1, 2, 3]),
        ({"models": ["cnn-bilstm"], "losses": ["?tc"]}, [0, 2]),
        ({"models": ["*width=2*"]}, [0, 1, 2, 3]),
        ({"models": ["cnn-bilstm(width=2, hidden=4)"]}, [0, 1, 2, 3]),
        ({"tests": ["seq-*"], "seeds": {1}}, [2, 3]),
        ({"decoders": ["greedy"]}, [0, 1, 2, 3]),
        ({"seeds": {0, 1}}, [0, 1, 2, 3]),
        ({"limit": 3}, [0, 1, 2]),
        ({"limit": 9}, [0, 1, 2, 3]),
        ({"losses": ["radial*"], "limit": 1}, [1]),
        ({"losses": ["radial*"], "seeds": [1], "limit": 1}, [3]),
    ],
)
def test_select(trials, wanted, expected):
    assert chosen(trials, **wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        ({"losses": ["radial-ct"]}, ["no loss", "'radial-ct'", "did you mean 'radial-ctc'?"]),
        ({"losses": ["ctc", "CTC"]}, ["no loss", "'CTC'"]),
        ({"models": ["lenetpp"]}, ["no model", "'lenetpp'", "cnn-bilstm"]),
        ({"models": ["*width=3*"]}, ["no model", "'*width=3*'"]),
        ({"decoders": ["beam"]}, ["no decoder", "'beam'", "greedy"]),
        ({"tests": ["mnist"]}, ["no test", "'mnist'", "seq-digits"]),
        ({"seeds": {0, 7, 5}}, ["seed 5", "0, 1", "'seeds'"]),
    ],
)
def test_what_matches_nothing_is_an_error(trials, wanted, parts):
    with pytest.raises(BenchError) as caught:
        Selection(**wanted).select(trials)
    assert caught.value.code == Exit.NOTHING
    for part in parts:
        assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_glob_of_test_sets_leaves_the_evaluations_that_match(edited):
    trials = grid.trials(edited((DATA, TWO_TESTS)))
    selected = Selection(tests=["seq-digits"]).select(trials)
    assert [[*trial.evaluations] for trial in selected] == [[*t.evaluations] for t in trials]
    selected = Selection(tests=["*digits=2*"], losses=["ctc"]).select(trials)
    assert [[*trial.evaluations] for trial in selected] == [["seq-digits(digits=2, rounds=1)"]] * 2
    assert [trial.trainings for trial in selected] == [t.trainings for t in trials[::2]]


def test_globs_that_match_only_apart_select_nothing(edited):
    model = '{ name = "cnn-bilstm", width = 2, hidden = 4 }'
    suite = edited(
        (model, f'{model}, "cnn-attention"'),
        ('"radial-ctc"', '"ce"'),
        ("seeds =", "skip_incompatible = true\nseeds ="),
    )
    trials = grid.trials(suite)
    assert [(t.entry.model.name, t.entry.loss.name) for t in trials[:2]] == [
        ("cnn-bilstm", "ctc"),
        ("cnn-attention", "ce"),
    ]
    with pytest.raises(BenchError, match="matches all of these options at once") as caught:
        Selection(models=["cnn-attention"], losses=["ctc"]).select(trials)
    assert caught.value.code == Exit.NOTHING


def test_nothing_selected_ends_the_command_with_its_code(home, bench):
    answer = bench("run", "tiny", "-l", "nothing", "--dry-run")
    assert answer.code == Exit.NOTHING
    assert answer.err.startswith("bench: no loss matches 'nothing'; there is ")
    assert "radial-ctc" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (home / "results").exists()


def pairs(suite, **globs):
    trials = grid.trials(widened(suite, Selection(**globs)))
    return {(trial.entry.model.name, trial.entry.loss.name) for trial in trials}


def test_without_globs_or_with_its_own_names_a_suite_stays_as_it_is(suite):
    assert widened(suite, Selection()) is suite
    assert widened(suite, Selection(models=["cnn-bilstm"], losses=["radial-ctc", "c?c"])) is suite


def test_globs_add_what_a_suite_does_not_list_where_it_fits(suite):
    own = pairs(suite)
    assert pairs(suite, losses=["enctc"]) == own | {("cnn-bilstm", "enctc")}
    assert pairs(suite, losses=["ce", "ctc"], models=["cnn-attention"]) == own | {
        ("cnn-attention", "ce")
    }
    everything = pairs(suite, losses=["*"])
    assert {("cnn-bilstm", "vac"), ("cnn-bilstm", "focal-ctc")} <= everything
    assert not {loss for _, loss in everything} & {"ce", "conclr"}


def test_what_a_suite_lists_keeps_its_parameters(edited):
    suite = edited(('"ctc", "radial-ctc"', '{ name = "radial-ctc", eta = 0.7 }'))
    trials = grid.trials(widened(suite, Selection(losses=["*ctc"])))
    losses = {trial.entry.loss for trial in trials}
    assert {loss for loss in losses if loss.name == "radial-ctc"} == {RadialCTC(eta=0.7)}
    assert CTC() in losses


def test_an_ad_hoc_entry_has_the_recipe_and_input_of_its_model(edited):
    suite = edited(("hidden = 4", "hidden = 4, recipe = { epochs = 5 }, input = { size = 9 }"))
    wide = widened(suite, Selection(models=["lenetpp"], losses=["enctc"]))
    added = wide.entries[len(suite.entries) :]
    for entry in added:
        own = entry.model.name == "cnn-bilstm"
        assert entry.recipe == (suite.entries[0].recipe if own else suite.recipe)
        assert entry.input == (suite.entries[0].input if own else entry.model.default_input)
    assert {entry.model.name for entry in added} == {"cnn-bilstm", "lenetpp"}


def test_an_ad_hoc_model_needs_a_recipe_of_the_suite(suite):
    with pytest.raises(BenchError, match="'tiny' has no recipe for model 'lenetpp'"):
        widened(replace(suite, recipe=None), Selection(models=["lenetpp"], losses=()))


@pytest.mark.parametrize(
    ("globs", "message"),
    [
        ({"losses": ["vacc"]}, "no loss matches 'vacc'; did you mean 'vac'?"),
        ({"models": ["trocr*"]}, "no model matches 'trocr*'"),
        ({"losses": ["ce"]}, "no model of it fits loss 'ce'"),
    ],
)
def test_a_name_that_fits_nothing_is_refused(suite, globs, message):
    with pytest.raises(BenchError) as caught:
        widened(suite, Selection(**globs))
    assert message in str(caught.value)
    assert caught.value.code == Exit.NOTHING
