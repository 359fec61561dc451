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
from bench.config.sweep_space import SweepTable
from bench.core.errors import BenchError, Exit
from bench.data.datasets.seq_digits import SeqDigits
from bench.evaluation import protocols
from bench.losses.ctc import CTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.sweeps.study import Study, Tried, best, ended, score
from bench.sweeps.sweep import of

SUITE = suites.Suite(
    name="one",
    about="",
    protocol=protocols.find("digits"),
    datasets=(SeqDigits(),),
    models=(CnnBiLSTM(),),
    losses=(CTC(),),
    seeds=(0,),
    training=suites.Recipe(1, 1, 1.0),
    resources=suites.Resources(),
    skip_incompatible=False,
    sweep=SweepTable({"model": {"hidden": {"randint": [4, 9]}}}, 1),
)
keys = st.text("0123456789abcdef", min_size=16, max_size=16)
cers = st.floats(0, 9)
values = st.booleans() | st.integers(-99, 99) | st.floats(-1e9, 1e9) | st.text(max_size=5)
states = st.sampled_from(["running", "done", "stopped", "failed"])
tried = st.builds(
    Tried,
    number=st.integers(1, 99),
    key=keys,
    params=st.dictionaries(st.sampled_from(["training.x", "model.y", "loss.η"]), values),
    state=states,
    scores=st.lists(cers, max_size=4),
    seconds=st.floats(0, 1e6),
    message=st.text(max_size=9),
)
many = st.lists(tried, max_size=5, unique_by=(lambda one: one.key, lambda one: one.number))


def params(hidden: int) -> dict:
    return {"training.learning_rate": 0.01, "training.optimizer": "adam", "model.hidden": hidden}


def end(study: Study, hidden: int, state: str = "done", scores: tuple = (0.5,)) -> Tried:
    found = replace(study.begin(params(hidden)), scores=[*scores])
    study.keep(ended(found, state, seconds=1.0))
    return next(one for one in study.tried() if one.key == found.key)


def with_table(study: Study, **changes) -> Study:
    """Return the same study under another budget."""
    sweep = replace(study.sweep, table=replace(study.sweep.table, **changes))
    assert sweep.key == study.sweep.key
    return Study(sweep, study.root.parents[1])


def test_a_study_lies_under_the_key_of_its_sweep(study, home):
    assert study.root == home / "results" / "sweeps" / study.sweep.key
    assert study.tried() == []
    assert study.seconds == 0.0
    assert study.left() == 6


def test_trials_are_numbered_as_they_begin(study):
    begun = [study.begin(params(hidden)) for hidden in (7, 5, 6)]
    assert [one.number for one in begun] == [1, 2, 3]
    assert study.tried() == begun
    assert {one.state for one in begun} == {"running"}
    assert begun[1].params == params(5)
    assert begun[1].key == study.sweep.trial(params(5)).key


def test_to_begin_a_trial_again_gives_it_as_it_stands(study):
    begun = study.begin(params(7))
    assert study.begin(params(7)) == begun
    kept = replace(begun, state="stopped", scores=[0.5, 0.25], seconds=3.0)
    study.keep(kept)
    assert study.begin(params(7)) == kept
    assert study.begin(dict(reversed(params(7).items()))) == kept
    assert study.tried() == [kept]


def test_a_new_trial_gets_no_number_of_another_though_a_file_is_gone(study):
    for hidden in (4, 5, 6):
        study.begin(params(hidden))
    (study.root / "trials" / f"{study.sweep.trial(params(4)).key}.json").unlink()
    study.begin(params(7))
    assert [one.number for one in study.tried()] == [2, 3, 4]


@settings(deadline=None, max_examples=40)
@given(many)
def test_what_is_kept_is_read_back(trials):
    with tempfile.TemporaryDirectory() as folder:
        found = Study(of(SUITE), Path(folder))
        found.prepare()
        for one in trials:
            found.keep(one)
        assert found.tried() == sorted(trials, key=lambda one: one.number)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is no trial of a sweep of bench"),
        (b"{}", "this is no trial of a sweep of bench"),
        (b'{"schema": 1}', "this is no trial of a sweep of bench"),
        (b'{"schema": 2}', "its schema is 2, this bench reads 1; update bench"),
    ],
)
def test_a_trial_that_cannot_be_read_is_one_sentence(study, content, said):
    file = study.root / "trials" / "x.json"
    file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        study.tried()
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: {said}")
    assert str(caught.value).endswith("move this file away and run the sweep again")
    assert len(str(caught.value).splitlines()) == 1


def test_a_head_that_cannot_be_read_is_one_sentence(study):
    (study.root / "sweep.json").write_text("[]")
    with pytest.raises(BenchError, match="this is no sweep of bench") as caught:
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


@given(st.lists(cers, min_size=1), st.integers(1, 9))
def test_the_score_is_of_the_epoch_that_the_recipe_selects(scores, epochs):
    one = Tried(1, "a", {}, scores=scores)
    assert score(one, "best") == min(scores)
    assert score(one, "last") == scores[-1]
    seen = scores[:epochs]
    assert score(one, "best", epochs) == min(seen)
    assert score(one, "last", epochs) == seen[-1]


@given(many, st.sampled_from(["best", "last"]))
def test_the_best_is_of_those_trained_to_their_end_alone(trials, select):
    trials = [one for one in trials if one.scores]
    found = best(trials, select)
    done = [one for one in trials if one.state == "done"]
    if not done:
        assert found is None
        return
    assert found in done
    assert all(score(found, select) <= score(one, select) for one in done)
    equal = [one for one in done if score(one, select) == score(found, select)]
    assert found.number == min(one.number for one in equal)


def test_a_trial_that_runs_has_not_ended():
    assert not Tried(1, "a", {}).ended
    for state in ("done", "stopped", "failed"):
        found = ended(Tried(1, "a", {}, scores=[0.5]), state, seconds=2.0, message="why")
        assert found.ended
        assert (found.scores, found.seconds, found.message) == ([0.5], 2.0, "why")
