"""Which evaluations a phase measures, and what it reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.core.errors import BenchError
from bench.decoding.beam import BeamDecoder
from bench.profiling import hardware, measure, method, phase
from bench.profiling.hardware import Hardware
from bench.tasks.task import run_task

HERE = Hardware("cpu", "Example CPU", 1, 2)


@pytest.fixture
def measured(monkeypatch, make_profile):
    """Measure nothing; return the evaluations that would have been measured."""
    asked = []

    def make(evaluation, _store, _here, _final):
        asked.append(evaluation)
        return make_profile(evaluation)

    monkeypatch.setattr(measure, "measure", make)
    monkeypatch.setattr(hardware, "find_hardware", lambda _: HERE)
    return asked


def test_each_model_and_loss_is_measured_once_and_kept(evaluations, store, measured):
    sentences = []
    outcome = phase.profile(evaluations, store, sentences.append)
    assert measured == evaluations[:2]
    assert outcome.faults == []
    assert list(store.profiles()) == sorted(outcome.profiles, key=lambda profile: profile.key)
    where = "reading seq-digits(digits=2, rounds=1) on Example CPU, 1 of 2 cores"
    assert sentences == [
        f"profiling cnn-bilstm(width=2, hidden=4) · ctc {where}",
        f"profiling cnn-bilstm(width=2, hidden=4) · radial-ctc {where}",
    ]
    again = phase.profile(evaluations, store, sentences.append)
    assert again == outcome
    assert len(measured) == len(sentences) == 2


def test_another_decoder_is_measured_too_and_named(evaluations, store, measured):
    sentences = []
    beam = replace(evaluations[0], decoder=BeamDecoder())
    phase.profile([evaluations[0], beam], store, sentences.append)
    assert measured == [evaluations[0], beam]
    assert " · ctc · beam reading " in sentences[1]


def test_what_is_invalid_is_measured_again(evaluations, store, measured, make_profile):
    store.keep(make_profile(evaluations[0], reason="busy"))
    outcome = phase.profile(evaluations[:1], store, lambda _: None)
    assert measured == evaluations[:1]
    assert outcome.profiles[0].valid
    assert [profile.valid for profile in store.profiles()] == [True]


def test_without_a_retry_what_is_invalid_stays_so(evaluations, store, measured, make_profile):
    busy = make_profile(evaluations[0], reason="busy")
    store.keep(busy)
    outcome = phase.profile(evaluations[:1], store, lambda _: None, retry=False)
    assert (outcome.profiles, measured) == ([busy], [])


def test_what_was_invalid_in_this_phase_is_not_measured_once_more(
    evaluations, store, monkeypatch, make_profile
):
    """Test sets of one shape share a profile, which a busy machine must not make slow as often."""
    other = replace(evaluations[0], test=replace(evaluations[0].test, rounds=2))
    conditions = [
        method.reading_conditions(each.spec, each.training.spec) for each in (evaluations[0], other)
    ]
    asked = []

    def make(evaluation, _store, _here, _final):
        asked.append(evaluation)
        return make_profile(evaluation, reason="busy", tests=conditions)

    monkeypatch.setattr(measure, "measure", make)
    monkeypatch.setattr(hardware, "find_hardware", lambda _: HERE)
    outcome = phase.profile([evaluations[0], other], store, lambda _: None)
    assert asked == [evaluations[0]]
    assert len(outcome.profiles) == 1


def test_a_profile_of_other_hardware_does_not_count(evaluations, store, measured, make_profile):
    store.keep(make_profile(evaluations[0], "Other CPU"))
    phase.profile(evaluations[:1], store, lambda _: None)
    assert measured == evaluations[:1]
    assert len(list(store.profiles())) == 2


def test_the_first_seed_whose_training_is_done_represents_the_others(evaluations, store):
    assert phase.representatives(evaluations, store) == evaluations[:2]
    list(run_task(evaluations[2].training, store))
    assert phase.representatives(evaluations, store) == [evaluations[2], evaluations[1]]


def test_one_that_cannot_run_loses_no_other(evaluations, store, measured, monkeypatch):
    make = measure.measure

    def fail(evaluation, *others):
        if evaluation.training.loss.name == "ctc":
            raise RuntimeError("out of memory")
        return make(evaluation, *others)

    monkeypatch.setattr(measure, "measure", fail)
    outcome = phase.profile(evaluations, store, lambda _: None)
    [fault] = outcome.faults
    assert fault.startswith("cnn-bilstm(width=2, hidden=4) · ctc reading ")
    assert fault.endswith(": RuntimeError: out of memory")
    assert [profile.labels["loss"] for profile in outcome.profiles] == ["radial-ctc"]


def test_missing_hardware_is_a_fault(evaluations, store, monkeypatch):
    def missing(_resources):
        raise BenchError("no GPU")

    monkeypatch.setattr(hardware, "find_hardware", missing)
    outcome = phase.profile(evaluations[:1], store, lambda _: None)
    assert outcome.profiles == []
    assert outcome.faults[0].endswith("BenchError: no GPU")


def test_test_sets_of_one_shape_share_a_profile(evaluations, store, measured, make_profile):
    other = replace(evaluations[0], test=replace(evaluations[0].test, rounds=2))
    both = [evaluations[0], other]
    conditions = [method.reading_conditions(each.spec, each.training.spec) for each in both]
    store.keep(make_profile(evaluations[0], tests=conditions))
    outcome = phase.profile(both, store, lambda _: None)
    assert len(outcome.profiles) == 1
    assert measured == []
