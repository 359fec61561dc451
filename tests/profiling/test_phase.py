"""Which trials a phase measures, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.core.errors import BenchError
from bench.profiling import hardware, measure, phase
from bench.profiling.hardware import Hardware
from bench.trials.store import RECORD, write

HERE = Hardware("cpu", "Example CPU", 1, 2)


@pytest.fixture
def measured(monkeypatch, make_profile):
    """Measure nothing; return the trials that would have been."""
    asked = []

    def make(trial, store, here):
        asked.append(trial)
        return make_profile(trial)

    monkeypatch.setattr(measure, "measure", make)
    monkeypatch.setattr(hardware, "find", lambda _: HERE)
    return asked


def test_each_model_and_loss_is_measured_once_and_kept(trials, store, measured):
    said = []
    outcome = phase.profile(trials, store, said.append)
    assert measured == trials[:2]
    assert outcome.faults == []
    assert list(store.profiles()) == sorted(outcome.profiles, key=lambda one: one.key)
    assert said == [
        "profiling cnn-bilstm(width=2, hidden=4) · ctc on Example CPU, 1 of 2 cores",
        "profiling cnn-bilstm(width=2, hidden=4) · radial-ctc on Example CPU, 1 of 2 cores",
    ]
    again = phase.profile(trials, store, said.append)
    assert again == outcome
    assert len(measured) == len(said) == 2


def test_what_is_invalid_is_measured_again(trials, store, measured, make_profile):
    store.keep(make_profile(trials[0], reason="busy"))
    outcome = phase.profile(trials[:1], store, lambda _: None)
    assert measured == trials[:1]
    assert outcome.profiles[0].valid
    assert [profile.valid for profile in store.profiles()] == [True]


def test_a_profile_of_other_hardware_does_not_count(trials, store, measured, make_profile):
    store.keep(make_profile(trials[0], "Other CPU"))
    phase.profile(trials[:1], store, lambda _: None)
    assert measured == trials[:1]
    assert len(list(store.profiles())) == 2


def test_the_first_seed_that_is_done_lends_its_weights(trials, store, make_record):
    assert phase.representatives(trials, store) == trials[:2]
    record = make_record(trials[2], correct=1, samples=2, edits=1, length=2)
    write(store.begin(trials[2]) / RECORD, record)
    assert phase.representatives(trials, store) == [trials[2], trials[1]]


def test_one_that_cannot_run_loses_no_other(trials, store, measured, monkeypatch):
    make = measure.measure

    def fail(trial, store, here):
        if trial.loss.name == "ctc":
            raise RuntimeError("out of memory")
        return make(trial, store, here)

    monkeypatch.setattr(measure, "measure", fail)
    outcome = phase.profile(trials, store, lambda _: None)
    assert outcome.faults == ["cnn-bilstm(width=2, hidden=4) · ctc: RuntimeError: out of memory"]
    assert [profile.labels["loss"] for profile in outcome.profiles] == ["radial-ctc"]


def test_hardware_that_is_not_there_is_told(trials, store, monkeypatch):
    def missing(resources):
        raise BenchError("no GPU")

    monkeypatch.setattr(hardware, "find", missing)
    outcome = phase.profile(trials[:1], store, lambda _: None)
    assert outcome.profiles == []
    assert outcome.faults == ["cnn-bilstm(width=2, hidden=4) · ctc: BenchError: no GPU"]


def test_datasets_of_one_shape_are_one_profile(trials, store, measured, make_profile):
    twin = replace(trials[0], dataset=replace(trials[0].dataset, rounds=2))
    datasets = [trials[0].spec["dataset"], twin.spec["dataset"]]
    store.keep(make_profile(trials[0], datasets=datasets))
    outcome = phase.profile([trials[0], twin], store, lambda _: None)
    assert len(outcome.profiles) == 1
    assert measured == []
