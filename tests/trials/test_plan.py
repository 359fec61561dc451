"""Trials against the store: their states, why, and the price of what is to do."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import bench_toml as config
from bench.config import suite as suites
from bench.core import hashing
from bench.core.errors import Exit
from bench.data.datasets import seq_digits
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid, plan
from bench.trials import store as disk
from bench.trials.store import Failure

RATES = {"correct": 3, "samples": 4, "edits": 1, "length": 8}
scalars = st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1) | st.text(max_size=3)
specs = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


@dataclass(frozen=True)
class Paired(CTC):
    """A loss whose parameter is a tuple of tuples."""

    name: ClassVar[str] = "paired"

    pairs: tuple[tuple[int, ...], ...] = ()


def fail(store, trial, message: str = "ValueError: no", cause: str = "error") -> None:
    attempts = [disk.Attempt(cause, message, "2025-11-21T08:00:00")]
    found = Failure(trial.key, trial.spec, trial.labels, trial.seed, attempts)
    disk.write(store.begin(trial) / disk.FAILURE, found)


@pytest.fixture
def save(store, make_record):
    """Return a function that leaves a record of a trial in the store."""

    def write(trial, seconds: float = 12.0):
        timings = disk.Timings(0.0, seconds, 0.0, 0.0)
        record = make_record(trial, **RATES, timings=timings)
        disk.write(store.begin(trial) / disk.RECORD, record)
        return record

    return write


@pytest.fixture
def changed(home):
    """Return a function that gives the trials of bench.toml with one passage replaced."""
    file = home / "bench.toml"
    tiny = file.read_text()

    def trials(old: str, new: str) -> list[grid.Trial]:
        assert tiny.count(old) == 1
        file.write_text(tiny.replace(old, new))
        return grid.trials(config.load(file).suite("tiny"))

    return trials


def test_every_state(trials, store, save):
    done, failed, stale, _ = trials
    save(done)
    fail(store, failed)
    save(replace(stale, model=replace(stale.model, width=9)))
    entries = plan.survey(trials, store)
    assert [entry.state for entry in entries] == ["done", "failed", "stale", "to do"]
    assert [entry.trial for entry in entries] == trials
    assert entries[0].record.key == done.key
    assert entries[1].failure.key == failed.key
    assert entries[2].stale.spec["model"]["parameters"]["width"] == 9
    assert [entry.why() for entry in entries] == [
        "",
        "error: ValueError: no",
        "model.parameters.width: 9 → 2",
        "",
    ]


def test_a_record_goes_before_a_failure_and_a_failure_before_an_old_record(trials, store, save):
    trial = trials[0]
    save(replace(trial, model=replace(trial.model, width=9)))
    fail(store, trial, "no memory", "out of memory")
    (entry,) = plan.survey([trial], store)
    assert (entry.state, entry.why()) == ("failed", "out of memory: no memory")
    record = save(trial)
    fail(store, trial)
    (entry,) = plan.survey([trial], store)
    assert (entry.state, entry.why(), entry.failure) == ("done", "", None)
    assert entry.record.key == record.key


def test_the_newest_old_record_is_the_stale_one(trials, store, save):
    trial = trials[0]
    for age, width in enumerate((7, 8, 9)):
        other = replace(trial, model=replace(trial.model, width=width))
        save(other)
        moment = 1e9 - abs(age - 1)
        os.utime(store.folder(other) / disk.RECORD, (moment, moment))
    assert plan.survey([trial], store)[0].why() == "model.parameters.width: 8 → 2"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("digits = 2", "digits = 3", "dataset.parameters.digits: 2 → 3"),
        (
            "rounds = 1",
            "rounds = 1, ramp = [0.1, 0.9]",
            "dataset.parameters.ramp: [0.3, 0.5, 0.7] → [0.1, 0.9]",
        ),
        ("width = 2", "width = 3", "model.parameters.width: 2 → 3"),
        ("epochs = 1", "epochs = 2", "training.epochs: 1 → 2"),
        ("learning_rate = 0.01", "learning_rate = 0.02", "training.learning_rate: 0.01 → 0.02"),
        ("epochs = 1", "epochs = 1\noptimizer = 'sgd'", "training.optimizer: adam → sgd"),
        (
            "width = 2, hidden = 4",
            "width = 1, hidden = 5",
            "model.parameters.hidden: 4 → 5; model.parameters.width: 2 → 1",
        ),
        (
            "epochs = 1\nbatch_size = 64",
            "epochs = 3\nbatch_size = 8",
            "training.batch_size: 64 → 8; training.epochs: 1 → 3",
        ),
    ],
)
def test_why_names_just_what_moved(trials, store, save, changed, old, new, why):
    for trial in trials:
        save(trial)
    entries = plan.survey(changed(old, new), store)
    assert [entry.state for entry in entries] == ["stale"] * 4
    assert [entry.why() for entry in entries] == [why] * 4


def test_why_names_a_parameter_of_a_loss(trials, store, save):
    save(trials[1])
    (entry,) = plan.survey([replace(trials[1], loss=RadialCTC(eta=0.1))], store)
    assert entry.why() == "loss.parameters.eta: 0.2 → 0.1"


def test_why_names_a_new_version(trials, store, save, monkeypatch):
    save(trials[0])
    monkeypatch.setattr(CnnBiLSTM, "version", 2)
    (entry,) = plan.survey([replace(trials[0])], store)
    assert entry.why() == "model.version: 1 → 2"


def test_why_names_other_data(trials, store, save, monkeypatch):
    save(trials[0])
    monkeypatch.setattr(seq_digits, "SHA256", "other")
    (entry,) = plan.survey([replace(trials[0])], store)
    assert entry.why().startswith("dataset.fingerprint: sha256:")
    assert entry.why().endswith(" → sha256:other")


def test_why_names_a_rule_of_the_protocol(trials, store, save):
    save(trials[0])
    newer = replace(trials[0].protocol, version=2, about="Other words.")
    (entry,) = plan.survey([replace(trials[0], protocol=newer)], store)
    assert entry.why() == "protocol.version: 1 → 2"


def test_a_tuple_and_the_list_in_its_record_are_no_difference(trials, store, save):
    for moment, pairs in enumerate([(), ((1, 2), (3, 4))], 1):
        trial = replace(trials[0], loss=Paired(pairs=pairs))
        save(trial)
        os.utime(store.folder(trial) / disk.RECORD, (moment, moment))
        read = store.record(trial)
        assert read.spec == trial.spec
        assert hashing.digest(read.spec) == trial.key
        assert list(plan.differences(read.spec, trial.spec)) == []
    (entry,) = plan.survey([replace(trials[0], loss=Paired(pairs=((1, 2), (3, 5))))], store)
    assert entry.why() == "loss.parameters.pairs: [[1, 2], [3, 4]] → [[1, 2], [3, 5]]"


@pytest.mark.parametrize(
    ("before", "after", "listed"),
    [
        ({}, {"a": 1}, ["a: absent → 1"]),
        ({"a": 1}, {}, ["a: 1 → absent"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c: 2 → 3"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a: 1 → 2", "b: 1 → 2"]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": [1]}, {"a": [1, 2]}, ["a: [1] → [1, 2]"]),
    ],
)
def test_differences(before, after, listed):
    assert list(plan.differences(before, after)) == listed


@settings(max_examples=60)
@given(specs, specs)
def test_specs_differ_where_their_keys_do(before, after):
    assert list(plan.differences(before, before)) == []
    if list(plan.differences(before, after)):
        assert hashing.digest(before) != hashing.digest(after)


@settings(max_examples=40)
@given(st.dictionaries(st.text("abc", min_size=1), scalars, min_size=1), st.data())
def test_one_changed_value_is_one_difference(spec, data):
    key = data.draw(st.sampled_from(sorted(spec)))
    listed = list(plan.differences({"x": spec}, {"x": spec | {key: "changed"}}))
    assert listed == [f"x.{key}: {spec[key]} → changed"]


def cost(entries):
    return plan.price(entries, [entry for entry in entries if not entry.record])


def test_no_price_without_a_record(trials, store):
    fail(store, trials[0])
    assert cost(plan.survey(trials, store)) is None
    assert cost([]) is None


def test_a_trial_costs_what_its_like_cost(trials, store, save):
    ctc, radial, ctc_1, radial_1 = trials
    save(ctc, 10)
    save(radial, 30)
    assert cost(plan.survey([ctc, ctc_1], store)) == 10
    assert cost(plan.survey([radial, radial_1], store)) == 30
    assert cost(plan.survey(trials, store)) == 40
    save(ctc_1, 20)
    third = replace(ctc, seed=2)
    assert cost(plan.survey([ctc, ctc_1, third], store)) == 15


def test_a_trial_without_its_like_costs_the_mean_of_all(trials, store, save):
    ctc, radial, ctc_1, _ = trials
    save(ctc, 10)
    save(ctc_1, 20)
    assert cost(plan.survey([ctc, ctc_1, radial], store)) == 15
    other = replace(radial, seed=5)
    assert cost(plan.survey([ctc, ctc_1, radial, other], store)) == 30


def test_a_stale_trial_costs_what_its_old_record_cost(trials, store, save, changed):
    save(trials[0], 10)
    entries = plan.survey(changed("epochs = 1", "epochs = 2"), store)
    assert entries[0].state == "stale"
    assert cost(entries[:1]) == 10
    assert cost(entries) == 40


def test_what_is_done_costs_nothing_more(trials, store, save):
    for trial in trials:
        save(trial)
    assert cost(plan.survey(trials, store)) == 0


def test_the_price_counts_cores(trials, store, save):
    wide = [replace(trial, resources=suites.Resources(cpus=4)) for trial in trials[::2]]
    save(wide[0], 10)
    assert cost(plan.survey(wide, store)) == 40


def test_a_record_is_priced_by_the_cores_it_had(trials, store, save):
    save(trials[0], 10)
    wide = [replace(trial, resources=suites.Resources(cpus=4)) for trial in trials[::2]]
    assert cost(plan.survey(wide, store)) == 10


def test_what_is_advised_about_a_record_of_another_schema_helps(trials, store, save, bench):
    save(trials[0])
    folder = store.folder(trials[0])
    text = (folder / disk.RECORD).read_text()
    (folder / disk.RECORD).write_text(text.replace('"schema": 1', '"schema": 0'))
    answer = bench("run", "tiny", "--force", "--dry-run")
    assert answer.code == Exit.UNVERIFIED
    assert "--force" not in answer.err
    assert "move the folder away" in answer.err
    folder.rename(store.root.parent / "away")
    assert bench("run", "tiny", "--force", "--dry-run").code == Exit.DONE


def test_a_record_of_a_trial_that_was_not_selected_is_not_stale(home, trials, store, save, bench):
    file = home / "bench.toml"
    two = '"radial-ctc", { name = "radial-ctc", eta = 0.5 }'
    file.write_text(file.read_text().replace('"radial-ctc"', two))
    save(next(trial for trial in trials if trial.loss.name == "radial-ctc" and trial.seed == 0))
    words = ("run", "tiny", "--dry-run", "--json", "-l", "radial-ctc(eta=0.5)", "--seeds", "0")
    (state,) = json.loads(bench(*words).out)
    assert (state["state"], state["why"]) == ("to do", "")
