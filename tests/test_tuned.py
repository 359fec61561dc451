"""Tuned entries of a suite: their mistakes, their trials, and what they leave as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cli.render import descriptions
from bench.config import bench_toml
from bench.config.suite import Suite, Tuning
from bench.core.errors import BenchError, Exit
from bench.core.text_table import draw
from bench.decoding.beam import BeamDecoder
from bench.trials import grid, plan
from bench.trials.store import TRAINING

ENTRY = """
[[suite.tiny.tuned]]
model = { name = "cnn-bilstm", width = 2, hidden = 8 }
loss = "ctc"
recipe = { learning_rate = 0.02 }
tuning = { sweep = "abc", sampler = "tpe", trials = 6, validations = 9 }
"""
SECOND = ENTRY.replace("hidden = 8", "hidden = 9")
TUNED = "suite.tiny.tuned"


@pytest.fixture
def tuned(home):
    """Return a function that adds text to the tiny bench.toml and gives the suite."""
    file = home / "bench.toml"
    before = file.read_text()

    def add(text: str = ENTRY) -> Suite:
        file.write_text(before + text)
        return bench_toml.load(file).suite("tiny")

    return add


@pytest.fixture
def sentence(tuned, home):
    """Return a function that gives the sentence on text added to bench.toml."""

    def on(text: str) -> str:
        with pytest.raises(BenchError) as caught:
            tuned(text)
        assert caught.value.code == Exit.USAGE
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value).removeprefix(f"{home}/")

    return on


def test_an_entry_is_what_its_table_says(tuned):
    suite = tuned()
    usual, _, entry = suite.entries
    assert entry == replace(
        usual,
        model=replace(usual.model, hidden=8),
        recipe=replace(suite.recipe, learning_rate=0.02),
        tuning=Tuning("abc", "tpe", 6, 9),
    )


def test_an_entry_may_have_the_recipe_of_the_suite(tuned):
    suite = tuned(ENTRY.replace("recipe = { learning_rate = 0.02 }\n", ""))
    assert suite.entries[-1].recipe == suite.recipe


def test_an_entry_may_have_an_input_and_a_decoder(tuned):
    text = ENTRY.replace("hidden = 8", "hidden = 8, input = { size = 9 }")
    suite = tuned(f'{text}decoder = {{ name = "beam", width = 3 }}\n')
    assert suite.entries[-1].input == replace(suite.entries[0].input, size=9)
    assert suite.entries[-1].decoder == BeamDecoder(width=3)


def test_its_recipe_may_stand_in_a_table_of_its_own(tuned):
    text = ENTRY.replace("recipe = { learning_rate = 0.02 }\n", "")
    suite = tuned(f"{text}[suite.tiny.tuned.recipe]\nlearning_rate = 0.02\n")
    assert suite == tuned()


# The entry's header is line 14 of the file.
FAULTS = [
    ('"cnn-bilstm"', '"cnn-blstm"', 15, TUNED, ["did you mean 'cnn-bilstm'?"]),
    ("hidden = 8", "hidden = 0", 15, TUNED, ["hidden = 0", ">= 1"]),
    ('loss = "ctc"', 'loss = "ctcc"', 16, TUNED, ["did you mean 'ctc'?"]),
    ('loss = "ctc"', "loss = { eta = 0.1 }", 16, TUNED, ["a table with a 'name'"]),
    ('loss = "ctc"', "loss = 3", 16, TUNED, ["loss = 3", "got `int`"]),
    ('loss = "ctc"', 'los = "ctc"', 16, TUNED, ["'los'", "did you mean 'loss'?"]),
    ('loss = "ctc"\n', "", 14, TUNED, ["the key 'loss' is missing"]),
    ("tuning = { sweep", "toning = { sweep", 18, TUNED, ["did you mean 'tuning'?"]),
    ("{ learning_rate = 0.02 }", "3", 17, TUNED, ["recipe = 3", "got `int`"]),
    (
        "learning_rate = 0.02",
        "learning_rat = 0.02",
        17,
        f"{TUNED}.recipe",
        ["'learning_rat'", "did you mean 'learning_rate'?"],
    ),
    (
        "learning_rate = 0.02",
        "learning_rate = 0.0",
        17,
        f"{TUNED}.recipe",
        ["learning_rate = 0.0", "> 0"],
    ),
    ("learning_rate = 0.02", "decay = 0.5", 17, f"{TUNED}.recipe", ["here it is 'constant'"]),
    ("trials = 6", "trials = 0", 18, f"{TUNED}.tuning", ["trials = 0", ">= 1"]),
    ("trials = 6, ", "", 18, f"{TUNED}.tuning", ["the key 'trials' is missing"]),
    ("sampler", "smapler", 18, f"{TUNED}.tuning", ["did you mean 'sampler'?"]),
    ('"abc"', "3", 18, f"{TUNED}.tuning", ["sweep = 3", "got `int`"]),
]


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), FAULTS)
def test_a_mistake_is_one_sentence_with_its_line(sentence, old, new, line, section, parts):
    assert ENTRY.count(old) == 1
    text = sentence(ENTRY.replace(old, new))
    assert text.startswith(f"bench.toml:{line}: [{section}] ")
    for part in parts:
        assert part in text


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), FAULTS)
def test_a_mistake_is_located_in_its_own_entry_of_several(sentence, old, new, line, section, parts):
    wrong = SECOND.replace("hidden = 8", "hidden = 9").replace(
        old.replace("hidden = 8", "hidden = 9"), new
    )
    lines = ENTRY.count("\n")
    assert sentence(wrong + ENTRY).startswith(f"bench.toml:{line}: [{section}] ")
    assert sentence(ENTRY + wrong).startswith(f"bench.toml:{line + lines}: [{section}] ")


def test_an_entry_without_its_tuning_is_refused(sentence):
    text = sentence(ENTRY.partition("tuning =")[0])
    assert text == f"bench.toml:14: [{TUNED}] the key 'tuning' is missing"


def test_a_misspelt_header_is_located(sentence):
    text = sentence(ENTRY.replace("suite.tiny.tuned", "suite.tiny.tunde"))
    assert text.startswith("bench.toml:14: [suite.tiny] there is no key 'tunde' here; did you mean")


def test_entries_as_a_list_are_located_at_its_key(home):
    entry = "{ " + ", ".join(ENTRY.split("\n")[2:-1]) + " }"
    wrong = entry.replace("hidden = 8", "hidden = 0")
    losses = 'losses = ["ctc", "radial-ctc"]\n'
    text = (home / "bench.toml").read_text()
    (home / "bench.toml").write_text(text.replace(losses, f"{losses}tuned = [{entry}, {wrong}]\n"))
    with pytest.raises(BenchError, match=r"bench\.toml:8: \[suite\.tiny\.tuned\] 'hidden = 0'"):
        bench_toml.load(home / "bench.toml").suite("tiny")


def test_a_wrong_key_of_a_table_of_its_own_is_located_in_the_right_entry(sentence):
    own = "[suite.tiny.tuned.recipe]\nlearning_rate = 0.01\nepoch = 3\n"
    without = ENTRY.replace("recipe = { learning_rate = 0.02 }\n", "")
    text = sentence(ENTRY + without + own)
    assert text.startswith(f"bench.toml:26: [{TUNED}.recipe] there is no key 'epoch' here")


def test_tuned_trials_follow_the_grid_of_each_seed(tuned):
    trials = grid.trials(tuned(ENTRY + SECOND))
    entries = [
        (t.seed, t.entry.loss.name, t.entry.model.hidden, bool(t.entry.tuning)) for t in trials
    ]
    assert entries == [
        (seed, *rest)
        for seed in (0, 1)
        for rest in (
            ("ctc", 4, False),
            ("radial-ctc", 4, False),
            ("ctc", 8, True),
            ("ctc", 9, True),
        )
    ]


def keys(trials) -> list[str]:
    return [task.key for task in grid.tasks(trials)]


def test_the_grid_keeps_its_keys_beside_tuned_entries(tuned):
    alone = keys(grid.trials(tuned("")))
    beside = [trial for trial in grid.trials(tuned()) if not trial.entry.tuning]
    assert keys(beside) == alone


def test_how_it_was_tuned_is_not_part_of_a_key(tuned):
    one = grid.trials(tuned())[2]
    other = grid.trials(tuned(ENTRY.replace("trials = 6", "trials = 60")))[2]
    assert one.entry.tuning != other.entry.tuning
    assert keys([one]) == keys([other])


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
    message = str(caught.value)
    assert message.startswith("suite 'tiny': 'cnn-bilstm(width=2, hidden=")
    assert "· ctc, tuned' and 'cnn-bilstm(" in message
    assert message.endswith(" are the same trial; remove one of them")


def test_a_tuned_entry_that_does_not_fit_is_refused_or_left_out(tuned, sentence, home):
    wrong = ENTRY.replace('loss = "ctc"', 'loss = "ce"')
    assert sentence(wrong).startswith(f"bench.toml:14: [{TUNED}] model 'cnn-bilstm' emits frames")
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("seeds =", "skip_incompatible = true\nseeds ="))
    assert len(bench_toml.load(file).suite("tiny").entries) == 2


def test_names_tell_a_tuned_trial_from_its_like(tuned):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    names = grid.task_names(trials)
    assert len({*names.values()}) == len(names) == 12
    assert names[trials[2].trainings[0].key].startswith("cnn-bilstm · ctc · tuned")
    assert grid.row_labels([t.entry for t in trials[:3]])[2] == "cnn-bilstm · ctc · tuned"


def test_status_tells_a_tuned_trial_from_its_plain_one(tuned, store):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    text = draw(descriptions.status(plan.make_plan(trials, store)))
    assert text.count("cnn-bilstm · ctc · tuned") == 4


def test_the_record_of_a_tuned_like_is_not_stale(tuned, store, leave):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    usual, like = trials[0].trainings[0], trials[2].trainings[0]
    assert usual.labels == like.labels
    for done, other in ((like, usual), (usual, like)):
        leave(done)
        statuses = plan.make_plan(trials, store).statuses
        assert statuses[done.key].state == "done"
        assert statuses[other.key].state == "to do"
        assert statuses[other.key].stale is None
        (store.folder(done) / TRAINING).unlink()


def test_an_older_record_is_stale_though_a_tuned_like_is_newer(tuned, store, leave):
    trials = grid.trials(tuned(ENTRY.replace("hidden = 8", "hidden = 4")))
    training = trials[0].trainings[0]
    leave(replace(training, recipe=replace(training.recipe, epochs=7)))
    leave(trials[2].trainings[0])
    status = plan.make_plan(trials, store).statuses[training.key]
    assert status.state == "stale"
    assert status.why() == "recipe.epochs: 7 → 1"
