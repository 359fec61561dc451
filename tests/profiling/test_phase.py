"""The profiling phase: which evaluations are measured, and its reports."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace

import pytest

from bench.decoding.beam import BeamDecoder
from bench.profiling import method, phase
from bench.profiling.hardware import Hardware
from bench.tasks.task import run_task
from bench.trials.leases import Leases

HERE = Hardware("cpu", "Example CPU", 1, 2)


class Recorder:
    """A profiler that measures nothing and records the evaluations."""

    def __init__(self, make):
        self.make = make
        self.evaluations = []

    def hardware(self, _resources):
        return HERE

    def measure(self, evaluation, _store, _final):
        self.evaluations.append(evaluation)
        return self.make(evaluation)


@pytest.fixture
def profiler(make_profile):
    """Return a profiler whose profiles are all valid."""
    return Recorder(make_profile)


@pytest.fixture
def profile(store, profiler):
    """Return a function that profiles evaluations and collects messages in a list."""

    def call(evaluations, sentences=None, used_profiler=profiler, **options):
        messages = [] if sentences is None else sentences

        def begin(number, total, name):
            messages.append(f"{number}/{total} {name}")

        opened = nullcontext(used_profiler)
        return phase.profile_evaluations(
            evaluations, store, messages.append, opened, begin=begin, **options
        )

    return call


def test_each_model_and_loss_is_measured_once_and_stored(evaluations, store, profiler, profile):
    sentences = []
    outcome = profile(evaluations, sentences)
    assert profiler.evaluations == evaluations[:2]
    assert outcome.faults == []
    assert list(store.profiles()) == sorted(outcome.profiles, key=lambda profile: profile.key)
    where = "reading seq-digits(digits=2, rounds=1) on Example CPU, 1 of 2 cores"
    assert sentences == [
        f"1/2 cnn-bilstm(width=2, hidden=4) · ctc {where}",
        f"2/2 cnn-bilstm(width=2, hidden=4) · radial-ctc {where}",
    ]
    again = profile(evaluations, sentences)
    assert again == outcome
    assert len(profiler.evaluations) == len(sentences) == 2


def test_another_decoder_is_measured_too_and_named(evaluations, profiler, profile):
    sentences = []
    beam = replace(evaluations[0], decoder=BeamDecoder())
    profile([evaluations[0], beam], sentences)
    assert profiler.evaluations == [evaluations[0], beam]
    assert " · ctc · beam reading " in sentences[1]


def test_an_invalid_profile_is_measured_again(evaluations, store, profiler, profile, make_profile):
    store.keep(make_profile(evaluations[0], reason="busy"))
    outcome = profile(evaluations[:1])
    assert profiler.evaluations == evaluations[:1]
    assert outcome.profiles[0].valid
    assert [profile.valid for profile in store.profiles()] == [True]


def test_without_retry_an_invalid_profile_is_not_measured_again(
    evaluations, store, profiler, profile, make_profile
):
    busy = make_profile(evaluations[0], reason="busy")
    store.keep(busy)
    outcome = profile(evaluations[:1], retry=False)
    assert (outcome.profiles, profiler.evaluations) == ([busy], [])


def test_a_profile_that_is_invalid_in_this_phase_is_not_measured_again(
    evaluations, profile, make_profile
):
    """Test sets of one shape share a profile, so an invalid one is measured only once."""
    other = replace(evaluations[0], test=replace(evaluations[0].test, rounds=2))
    conditions = [
        method.reading_conditions(each.spec, each.training.spec) for each in (evaluations[0], other)
    ]
    busy = Recorder(lambda each: make_profile(each, reason="busy", tests=conditions))
    outcome = profile([evaluations[0], other], used_profiler=busy)
    assert busy.evaluations == [evaluations[0]]
    assert len(outcome.profiles) == 1


def test_a_profile_of_other_hardware_does_not_count(
    evaluations, store, profiler, profile, make_profile
):
    store.keep(make_profile(evaluations[0], "Other CPU"))
    profile(evaluations[:1])
    assert profiler.evaluations == evaluations[:1]
    assert len(list(store.profiles())) == 2


def test_the_first_seed_whose_training_is_done_represents_the_others(evaluations, store):
    assert phase.representatives(evaluations, store) == evaluations[:2]
    list(run_task(evaluations[2].training, store))
    assert phase.representatives(evaluations, store) == [evaluations[2], evaluations[1]]


def test_a_failure_does_not_end_the_other_measurements(evaluations, profile, make_profile):
    def fail(evaluation):
        if evaluation.training.loss.name == "ctc":
            raise RuntimeError("out of memory")
        return make_profile(evaluation)

    outcome = profile(evaluations, used_profiler=Recorder(fail))
    [fault] = outcome.faults
    assert fault.startswith("cnn-bilstm(width=2, hidden=4) · ctc reading ")
    assert fault.endswith(": RuntimeError: out of memory")
    assert [profile.labels["loss"] for profile in outcome.profiles] == ["radial-ctc"]


def test_missing_hardware_is_reported(evaluations, store):
    on_gpu = evaluations[0].with_resources(replace(evaluations[0].resources, device="cuda"))
    outcome = phase.profile_evaluations([on_gpu], store, lambda _: None)
    if outcome.faults:
        assert outcome.profiles == []
        assert 'the suite sets device = "cuda"' in outcome.faults[0]


def test_without_evaluations_the_profiler_is_not_entered(store):
    @contextmanager
    def opened():
        pytest.fail("a cluster would be joined")
        yield

    assert phase.profile_evaluations([], store, lambda _: None, opened()) == phase.ProfilingResult(
        [], []
    )


def test_test_sets_of_one_shape_share_a_profile(
    evaluations, store, profiler, profile, make_profile
):
    other = replace(evaluations[0], test=replace(evaluations[0].test, rounds=2))
    both = [evaluations[0], other]
    conditions = [method.reading_conditions(each.spec, each.training.spec) for each in both]
    store.keep(make_profile(evaluations[0], tests=conditions))
    outcome = profile(both)
    assert len(outcome.profiles) == 1
    assert profiler.evaluations == []


def test_a_profile_that_another_process_measures_is_waited_for_and_used(
    evaluations, store, profiler, make_profile
):
    with Leases(store.root) as elsewhere:
        elsewhere.take("profiling")
        sentences = []

        def say(sentence):
            sentences.append(sentence)
            store.keep(make_profile(evaluations[0]))
            elsewhere.release("profiling")

        outcome = phase.profile_evaluations(evaluations[:1], store, say, nullcontext(profiler))
    assert len(outcome.profiles) == 1
    assert profiler.evaluations == []
    assert len(sentences) == 1
    assert sentences[0].endswith("is profiling; waiting")


@pytest.mark.usefixtures("caught_signals")
def test_an_interrupt_in_native_code_is_not_a_fault(evaluations, profile):
    class Importing(Recorder):
        def hardware(self, _resources):
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
            raise RecursionError("maximum recursion depth exceeded")

    with pytest.raises(KeyboardInterrupt):
        profile(evaluations, used_profiler=Importing(None))
