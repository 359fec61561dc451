"""Tuned entries of a suite: their faults in words, their trials, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cli.render import descriptions as views
from bench.config import bench_toml as config
from bench.config import suite as suites
from bench.core.errors import BenchError, Exit
from bench.trials import grid, plan
from bench.trials import store as disk

ENTRY = """
[[suite.tiny.tuned]]
dataset = { name = "seq-digits", digits = 2, rounds = 1 }
model = { name = "cnn-bilstm", width = 2, hidden = 8 }
loss = "ctc"
training = { learning_rate = 0.02 }
tuning = { sweep = "abc", sampler = "tpe", trials = 6, epochs = 9 }
"""
SECOND = ENTRY.replace("hidden = 8", "hidden = 9")
TUNED = "suite.tiny.tuned"


@pytest.fixture
def tuned(home):
    """Return a function that adds text to the tiny bench.toml and gives the suite."""
    file = home / "bench.toml"
    before = file.read_text()

    def add(text: str = ENTRY) -> suites.Suite:
        file.write_text(before + text)
        return config.load(file).suite("tiny")

    return add


@pytest.fixture
def sentence(tuned, home):
    """Return a function that gives what is said of text added to bench.toml."""

    def said(text: str) -> str:
        with pytest.raises(BenchError) as caught:
            tuned(text)
        assert caught.value.code == Exit.USAGE
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value).removeprefix(f"{home}/")

    return said


def test_an_entry_is_what_its_table_says(tuned):
    suite = tuned()
    (entry,) = suite.tuned
    assert entry.dataset == suite.datasets[0]
    assert entry.model == replace(suite.models[0], hidden=8)
    assert entry.loss == suite.losses[0]
    assert entry.training == replace(suite.training, learning_rate=0.02)
    assert entry.tuning == suites.Tuning("abc", "tpe", 6, 9)


def test_an_entry_may_have_the_recipe_of_the_suite(tuned):
    suite = tuned(ENTRY.replace("training = { learning_rate = 0.02 }\n", ""))
    assert suite.tuned[0].training == suite.training


def test_its_recipe_may_stand_in_a_table_of_its_own(tuned):
    text = ENTRY.replace("training = { learning_rate = 0.02 }\n", "")
    suite = tuned(f"{text}[suite.tiny.tuned.training]\nlearning_rate = 0.02\n")
    assert suite == tuned()


# The entry's header is line 14 of the file.
FAULTS = [
    ("digits = 2", "digits = 3", 15, TUNED, ["seq-digits(digits=3, rounds=1)'", "to 'datasets'"]),
    ('"seq-digits"', '"seq-digit"', 15, TUNED, ["did you mean 'seq-digits'?"]),
    ('"cnn-bilstm"', '"cnn-blstm"', 16, TUNED, ["did you mean 'cnn-bilstm'?"]),
    ("hidden = 8", "hidden = 0", 16, TUNED, ["hidden = 0", ">= 1"]),
    ('loss = "ctc"', 'loss = "ctcc"', 17, TUNED, ["did you mean 'ctc'?"]),
    ('loss = "ctc"', "loss = { eta = 0.1 }", 17, TUNED, ["a table with a 'name'"]),
    ('loss = "ctc"', "loss = 3", 17, TUNED, ["loss = 3", "got `int`"]),
    ('loss = "ctc"', 'los = "ctc"', 17, TUNED, ["'los'", "did you mean 'loss'?"]),
    ('loss = "ctc"\n', "", 14, TUNED, ["the key 'loss' is missing"]),
    ("tuning = { sweep", "toning = { sweep", 19, TUNED, ["did you mean 'tuning'?"]),
    ("{ learning_rate = 0.02 }", "3", 18, TUNED, ["training = 3", "got `int`"]),
    (
        "learning_rate = 0.02",
        "learning_rat = 0.02",
        18,
        f"{TUNED}.training",
        ["'learning_rat'", "did you mean 'learning_rate'?"],
    ),
    (
        "learning_rate = 0.02",
        "learning_rate = 0.0",
        18,
        f"{TUNED}.training",
        ["learning_rate = 0.0", "> 0"],
    ),
    ("learning_rate = 0.02", "decay = 0.5", 18, f"{TUNED}.training", ["here it is 'constant'"]),
    ("trials = 6", "trials = 0", 19, f"{TUNED}.tuning", ["trials = 0", ">= 1"]),
    ("trials = 6, ", "", 19, f"{TUNED}.tuning", ["the key 'trials' is missing"]),
    ("sampler", "smapler", 19, f"{TUNED}.tuning", ["did you mean 'sampler'?"]),
    ('"abc"', "3", 19, f"{TUNED}.tuning", ["sweep = 3", "got `int`"]),
]


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), FAULTS)
def test_a_mistake_is_located_and_said(sentence, old, new, line, section, parts):
    assert ENTRY.count(old) == 1
    said = sentence(ENTRY.replace(old, new))
    assert said.startswith(f"bench.toml:{line}: [{section}] ")
    for part in parts:
        assert part in said


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), FAULTS)
def test_a_mistake_is_located_in_its_own_entry_of_several(sentence, old, new, line, section, parts):
    wrong = SECOND.replace("hidden = 8", "hidden = 9").replace(
        old.replace("hidden = 8", "hidden = 9"), new
    )
    lines = ENTRY.count("\n")
    assert sentence(wrong + ENTRY).startswith(f"bench.toml:{line}: [{section}] ")
    assert sentence(ENTRY + wrong).startswith(f"bench.toml:{line + lines}: [{section}] ")


def test_an_entry_without_its_tuning_is_refused(sentence):
    said = sentence(ENTRY.partition("tuning =")[0])
    assert said == f"bench.toml:14: [{TUNED}] the key 'tuning' is missing"


def test_a_misspelt_header_is_located(sentence):
    said = sentence(ENTRY.replace("suite.tiny.tuned", "suite.tiny.tunde"))
    assert said.startswith("bench.toml:14: [suite.tiny] there is no key 'tunde' here; did you mean")


def test_entries_as_a_list_are_located_at_its_key(home):
    entry = "{ " + ", ".join(ENTRY.split("\n")[2:-1]) + " }"
    wrong = entry.replace("digits = 2", "digits = 3")
    losses = 'losses = ["ctc", "radial-ctc"]\n'
    text = (home / "bench.toml").read_text()
    (home / "bench.toml").write_text(text.replace(losses, f"{losses}tuned = [{entry}, {wrong}]\n"))
    with pytest.raises(BenchError, match=r"bench\.toml:8: \[suite\.tiny\.tuned\] dataset 'seq-dig"):
        config.load(home / "bench.toml").suite("tiny")


def test_a_wrong_key_of_a_table_of_its_own_is_located_in_the_right_entry(sentence):
    own = "[suite.tiny.tuned.training]\nlearning_rate = 0.01\nepoch = 3\n"
    text = ENTRY.replace("training = { learning_rate = 0.02 }\n", "")
    said = sentence(ENTRY + text + own)
    assert said.startswith(f"bench.toml:28: [{TUNED}.training] there is no key 'epoch' here")


def test_tuned_trials_follow_the_grid_of_each_seed(tuned):
    trials = grid.trials(tuned(ENTRY + SECOND))
    assert [(t.seed, t.loss.name, t.model.hidden, bool(t.tuning)) for t in trials] == [
        (seed, *rest)
        for seed in (0, 1)
        for rest in (
            ("ctc", 4, False),
            ("radial-ctc", 4, False),
            ("ctc", 8, True),
            ("ctc", 9, True),
        )
    ]


def test_states_tell_a_tuned_trial_from_its_plain_one(tuned):
    states = views.states([plan.Entry(trial) for trial in grid.trials(tuned())])
    assert {state["tuned"] for state in states} == {True, False}


def test_the_grid_keeps_its_keys_beside_tuned_entries(tuned):
    alone = [trial.key for trial in grid.trials(tuned(""))]
    beside = [trial.key for trial in grid.trials(tuned()) if not trial.tuning]
    assert beside == alone


def test_how_it_was_tuned_is_no_part_of_a_trial_s_key(tuned):
    one = grid.trials(tuned())[2]
    other = grid.trials(tuned(ENTRY.replace("trials = 6", "trials = 60")))[2]
    assert one.tuning != other.tuning
    assert one.key == other.key == replace(one, tuning=None).key


@pytest.mark.parametrize(
    "text",
    [
        ENTRY + ENTRY,
        ENTRY + ENTRY.replace("trials = 6", "trials = 7"),
        ENTRY.replace("hidden = 8", "hidden = 4").replace("learning_rate = 0.02", ""),
        ENTRY.replace("hidden = 8", "hidden = 4").replace("0.02", "0.01"),
    ],
)
def test_a_trial_that_the_suite_has_already_is_refused(tuned, text):
    suite = tuned(text)
    with pytest.raises(BenchError) as caught:
        grid.trials(suite)
    said = str(caught.value)
    assert said.startswith("suite 'tiny': [[suite.tiny.tuned]] seq-digits(digits=2, rounds=1) · ")
    assert said.endswith(
        "· tuned · seed 0 is a trial that the suite has already; take that table out"
    )


def test_a_tuned_entry_that_does_not_fit_is_refused_or_left_out(tuned):
    from bench.losses.base import Seq2SeqLoss

    class Scored(Seq2SeqLoss):
        name = "scored"

        def feedback(self, head, targets):
            raise NotImplementedError

        def head(self, feature_dims, classes):
            raise NotImplementedError

        def objective(self, head, features, targets):
            raise NotImplementedError

    suite = tuned()
    suite = replace(suite, tuned=(suite.tuned[0]._replace(loss=Scored()),))
    with pytest.raises(BenchError, match="loss 'scored' scores seq2seq"):
        grid.trials(suite)
    assert len(grid.trials(replace(suite, skip_incompatible=True))) == 4


def test_names_tell_a_tuned_trial_from_its_like(tuned):
    text = ENTRY.replace("hidden = 8", "hidden = 4")
    names = [*grid.names(grid.trials(tuned(text))).values()]
    assert len(set(names)) == 6
    assert names[2] == "cnn-bilstm · ctc · tuned · seed 0"
    assert grid.trials(tuned(text))[2].label.endswith("· ctc · tuned · seed 0")


def test_the_record_of_a_tuned_like_is_not_stale(tuned, store, make_record):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    usual, like = trials[0], trials[2]
    assert usual.labels == like.labels
    for done, other in ((like, usual), (usual, like)):
        rates = {"correct": 1, "samples": 2, "edits": 1, "length": 2}
        file = store.begin(done) / disk.RECORD
        disk.write(file, make_record(done, **rates))
        entries = {entry.trial.key: entry for entry in plan.survey(trials, store)}
        assert entries[done.key].state == "done"
        assert entries[other.key].state == "to do"
        assert entries[other.key].stale is None
        file.unlink()


def test_an_older_record_is_stale_though_a_tuned_like_is_newer(tuned, store, make_record):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    rates = {"correct": 1, "samples": 2, "edits": 1, "length": 2}
    older = replace(trials[0], training=replace(trials[0].training, epochs=7))
    for trial in (older, trials[2]):
        disk.write(store.begin(trial) / disk.RECORD, make_record(trial, **rates))
    first = plan.survey(trials, store)[0]
    assert first.state == "stale"
    assert first.why() == "training.epochs: 7 → 1"
