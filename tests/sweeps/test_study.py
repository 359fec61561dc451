"""A study on disk: trials in order, a budget, and the best of those trained to their end."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import suite as suites
from bench.config.recipe import Recipe, Resources
from bench.config.sweep_space import SweepTable
from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.data.datasets.seq_digits import SeqDigits
from bench.decoding.greedy import GreedyDecoder
from bench.evaluation import protocols
from bench.losses.ctc import CTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.sweeps.study import Study, StudyTrial, best, ended, score
from bench.sweeps.sweep import sweep_of
from bench.trials import store as disk

RECIPE = Recipe(batch_size=1, learning_rate=1.0, epochs=1)
DATA, MODEL = SeqDigits(), CnnBiLSTM()
SUITE = suites.Suite(
    name="small",
    about="",
    protocol=protocols.find_protocol("digits"),
    columns=(suites.Column("seq-digits", DATA, (DATA,)),),
    entries=(suites.TrainedEntry(MODEL, CTC(), GreedyDecoder(), MODEL.default_input, RECIPE),),
    seeds=(0,),
    recipe=RECIPE,
    resources=Resources(),
    sweep=SweepTable({"model": {"hidden": {"randint": [4, 9]}}}, 1),
)
keys = st.text("0123456789abcdef", min_size=16, max_size=16)
rates = st.floats(0, 9)
values = st.booleans() | st.integers(-99, 99) | st.floats(-1e9, 1e9) | st.text(max_size=5)
states = st.sampled_from(["running", "done", "stopped", "failed"])
study_trials = st.builds(
    StudyTrial,
    number=st.integers(1, 99),
    key=keys,
    params=st.dictionaries(st.sampled_from(["recipe.x", "model.y", "loss.η"]), values),
    state=states,
    scores=st.lists(rates, max_size=4),
    seconds=st.floats(0, 1e6),
    message=st.text(max_size=9),
)
many = st.lists(
    study_trials, max_size=5, unique_by=(lambda each: each.key, lambda each: each.number)
)


def params(hidden: int) -> dict:
    return {"recipe.learning_rate": 0.01, "recipe.optimizer": "adam", "model.hidden": hidden}


def end(study: Study, hidden: int, state: str = "done", scores: tuple = (0.5,)) -> StudyTrial:
    begun = replace(study.begin(params(hidden)), scores=[*scores])
    study.keep(ended(begun, state, seconds=1.0))
    return next(each for each in study.trials() if each.key == begun.key)


def with_table(study: Study, **changes) -> Study:
    """Return the same study under another budget."""
    sweep = replace(study.sweep, table=replace(study.sweep.table, **changes))
    assert sweep.key == study.sweep.key
    return Study(sweep, study.root.parents[1])


def test_a_study_lies_under_the_key_of_its_sweep(study, home):
    assert study.root == home / "results" / "sweeps" / study.sweep.key
    assert study.trials() == []
    assert study.seconds == 0.0
    assert study.left() == 6


def test_trials_are_numbered_as_they_begin(study):
    begun = [study.begin(params(hidden)) for hidden in (7, 5, 6)]
    assert [each.number for each in begun] == [1, 2, 3]
    assert study.trials() == begun
    assert {each.state for each in begun} == {"running"}
    assert begun[1].params == params(5)
    assert begun[1].key == study.sweep.training(params(5)).key


def test_to_begin_a_trial_again_gives_it_as_it_stands(study):
    begun = study.begin(params(7))
    assert study.begin(params(7)) == begun
    kept = replace(begun, state="stopped", scores=[0.5, 0.25], seconds=3.0)
    study.keep(kept)
    assert study.begin(params(7)) == kept
    assert study.begin(dict(reversed(params(7).items()))) == kept
    assert study.trials() == [kept]


def test_a_new_trial_gets_no_number_of_another_though_a_file_is_gone(study):
    for hidden in (4, 5, 6):
        study.begin(params(hidden))
    (study.root / "trials" / f"{study.sweep.training(params(4)).key}.json").unlink()
    study.begin(params(7))
    assert [each.number for each in study.trials()] == [2, 3, 4]


@settings(max_examples=20)
@given(many)
def test_what_is_kept_is_read_back(trials):
    with tempfile.TemporaryDirectory() as folder:
        study = Study(sweep_of(SUITE), Path(folder))
        study.prepare()
        kept = []
        for number, each in enumerate(trials, 4):
            begun = study.begin({"model.hidden": number})
            scores = each.scores or [0.5]
            kept.append(replace(each, key=begun.key, params=begun.params, scores=scores))
            study.keep(kept[-1])
        assert study.trials() == sorted(kept, key=lambda each: (each.number, each.key))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": [-5.0]}, "Expected `float` >= 0"),
        ({"scores": []}, "it is done and has no score"),
        ({"params": {"recipe.learning_rate": 0.01}}, "its parameters are not"),
        ({"params": params(7) | {"model.width": 3}}, "its parameters are not"),
        ({"params": params(99)}, "model.hidden = '99' is not in the space"),
        ({"params": params(7) | {"recipe.learning_rate": "fast"}}, "is not in the space"),
        ({"params": params(6)}, "its parameters give"),
        ({"key": "0123456789abcdef"}, "its parameters give"),
        ({"number": 0}, "Expected `int` >= 1"),
    ],
)
def test_a_trial_that_this_sweep_cannot_have_is_refused(study, changes, said):
    done = end(study, 7)
    file = study.root / "trials" / f"{done.key}.json"
    file.write_bytes(documents.encode(replace(done, **changes)))
    with pytest.raises(BenchError) as caught:
        Study(study.sweep, study.root.parents[1]).trials()
    assert caught.value.code == Exit.UNVERIFIED
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{file}: this is not a trial of a sweep of bench")


def test_the_scores_of_a_trial_are_those_of_its_training(study, make_training_record):
    done = end(study, 7, scores=(0.75, 0.5))
    training = study.sweep.training(done.params)
    disk.write(study.store.begin(training) / disk.TRAINING, make_training_record(training))
    assert study.trials() == [done]
    study.keep(replace(done, scores=[0.75, 0.01]))
    with pytest.raises(BenchError, match="its scores are not those of its training"):
        study.trials()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is not a trial of a sweep of bench"),
        (b"{}", "this is not a trial of a sweep of bench"),
        (b'{"schema": 2}', "this is not a trial of a sweep of bench"),
        (b'{"schema": 3}', "its schema is 3, this bench reads 2; update bench"),
    ],
)
def test_a_trial_that_cannot_be_read_is_one_sentence(study, content, said):
    file = study.root / "trials" / "x.json"
    file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        study.trials()
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: {said}")
    assert str(caught.value).endswith("move this file away and run the sweep again")
    assert len(str(caught.value).splitlines()) == 1


def test_a_head_that_cannot_be_read_is_one_sentence(study):
    (study.root / "sweep.json").write_text("[]")
    with pytest.raises(BenchError, match="this is not a sweep of bench") as caught:
        _ = study.seconds
    assert caught.value.code == Exit.UNVERIFIED


def test_where_nothing_can_be_written_is_said(study, home):
    (home / "file").write_text("")
    with pytest.raises(BenchError, match="name another folder with --results"):
        Study(study.sweep, home / "file").prepare()


def test_what_is_left_is_the_budget_less_what_has_ended(study):
    study.begin(params(4))
    assert study.left() == 6
    for number, state in enumerate(("done", "stopped", "failed"), 5):
        end(study, number, state)
    assert study.left() == 3
    assert with_table(study, trials=3).left() == 0
    assert with_table(study, trials=2).left() == 0
    assert with_table(study, trials=9).left() == 6


def test_nothing_is_left_once_the_minutes_are_spent(study):
    study.spend(119.0)
    assert study.seconds == 119.0
    assert study.left() == 6
    assert with_table(study, minutes=2.0).left() == 6
    study.spend(120.0)
    assert with_table(study, minutes=2.0).left() == 0
    assert with_table(study, minutes=2.5).left() == 6
    assert with_table(study, minutes=0.0).left() == 6


def test_its_file_says_what_is_searched(study):
    study.spend(3.5)
    head = json.loads((study.root / "sweep.json").read_text())
    assert head["key"] == study.sweep.key
    assert head["seconds"] == 3.5
    assert head["base"] == study.sweep.base.spec
    assert head["space"]["model.hidden"] == {"kind": "randint", "values": [4, 9]}
    assert head["table"]["sampler"] == "tpe"


@given(st.lists(rates, min_size=1), st.integers(1, 9))
def test_the_score_is_of_the_epoch_that_the_recipe_selects(scores, epochs):
    trial = StudyTrial(1, "a", {}, scores=scores)
    assert score(trial, "best") == min(scores)
    assert score(trial, "last") == scores[-1]
    seen = scores[:epochs]
    assert score(trial, "best", epochs) == min(seen)
    assert score(trial, "last", epochs) == seen[-1]


@given(many, st.sampled_from(["best", "last"]))
def test_the_best_is_of_those_trained_to_their_end_alone(trials, select):
    trials = [each for each in trials if each.scores]
    winner = best(trials, select)
    done = [each for each in trials if each.state == "done"]
    if not done:
        assert winner is None
        return
    assert winner in done
    assert all(score(winner, select) <= score(each, select) for each in done)
    equal = [each for each in done if score(each, select) == score(winner, select)]
    assert winner.number == min(each.number for each in equal)


def test_a_trial_that_runs_has_not_ended():
    assert not StudyTrial(1, "a", {}).ended
    for state in ("done", "stopped", "failed"):
        trial = ended(StudyTrial(1, "a", {}, scores=[0.5]), state, seconds=2.0, message="why")
        assert trial.ended
        assert (trial.scores, trial.seconds, trial.message) == ([0.5], 2.0, "why")
