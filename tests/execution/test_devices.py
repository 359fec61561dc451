"""Trainings on several devices, here on CPUs, by the executor of this machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import assert_same_bytes, task_events
from safetensors.torch import load_file

from bench.core.errors import BenchError
from bench.execution.in_process import InProcessExecutor
from bench.execution.inline import InlineExecutor
from bench.execution.schedule import execute, open_executor
from bench.execution.task_process import start_task
from bench.trials.events import Failed, Listening, Progress, Resumed, Retried
from bench.trials.rank import Rank
from bench.trials.store import WEIGHTS, Store


def on_devices(training, devices, **resources):
    resources = {"devices": devices, "log_every": "1 step", **resources}
    return training.with_resources(replace(training.resources, **resources))


def run(tasks, store):
    return execute(tasks, {task.key: task.key for task in tasks}, store, open_executor("inline"))


@pytest.fixture
def evaluation(evaluations):
    training = evaluations[0].training
    recipe = replace(training.recipe, epochs=2, batch_size=63, optimizer="sgd")
    return replace(evaluations[0], training=replace(training, recipe=recipe))


def test_two_devices_train_what_one_trains_and_one_evaluates(evaluation, store):
    one = on_devices(evaluation.training, 1)
    two = on_devices(evaluation.training, 2)
    assert one.key != two.key
    evaluations = [replace(evaluation, training=each) for each in (one, two)]
    assert run([one, two, *evaluations], store) == []
    records = [store.record(each) for each in (one, two)]
    for first, second in zip(*(record.curve for record in records), strict=True):
        assert second.loss == pytest.approx(first.loss, rel=1e-5)
        assert (second.step, second.infeasible) == (first.step, first.infeasible)
    weights = [load_file(store.folder(each) / WEIGHTS) for each in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-4, atol=1e-6, msg=name)
    read = [store.record(each) for each in evaluations]
    assert read[0].samples == read[1].samples
    assert read[1].scores == pytest.approx(read[0].scores, abs=2.0)


@pytest.mark.slow
def test_the_loss_of_a_rank_ends_the_others_and_training_resumes_to_the_same_bits(
    evaluation, store, faulty, tmp_path
):
    data = faulty.Killed(digits=2, rounds=1, file=str(tmp_path / "killed"))
    training = replace(evaluation.training, data=(data,))
    recipe = replace(training.recipe, epochs=4, schedule="one-cycle")
    training = on_devices(replace(training, recipe=recipe), 2, checkpoint_every="0 seconds")
    events = [event for _, event in task_events([training], InlineExecutor(), store)]
    (retried,) = (place for place, event in enumerate(events) if isinstance(event, Retried))
    assert events[retried].attempt.cause == "lost worker"
    (resumed,) = (event for event in events[retried:] if isinstance(event, Resumed))
    first = next(event for event in events[retried:] if isinstance(event, Progress))
    assert first.step == resumed.step + 1
    assert [attempt.cause for attempt in store.record(training).attempts] == ["lost worker"]
    # The file exists now: nothing is wrong with the data any more.
    whole = Store(tmp_path / "whole")
    assert run([training], whole) == []
    assert_same_bytes(training, store, whole)


@pytest.mark.slow
def test_a_rank_that_disappears_without_a_report_is_a_lost_node(evaluation, store, monkeypatch):
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "FATAL")
    recipe = replace(evaluation.training.recipe, epochs=200)
    training = on_devices(replace(evaluation.training, recipe=recipe), 2)
    leader = start_task(training, store, [], (), Rank(count=2))
    reports = leader.reports()
    listening = next(each for each in reports if isinstance(each, Listening))
    other = start_task(training, store, [], (), replace(listening.rank, number=1))
    next(each for each in reports if isinstance(each, Progress))
    other.kill()
    *_, last = reports
    assert isinstance(last, Failed)
    assert last.failure.cause == "lost node"


def test_a_fault_of_one_rank_is_reported_once(evaluation, store, faulty):
    training = on_devices(evaluation.training, 2)
    wrong = replace(training, data=(faulty.Raises(digits=2, rounds=1),))
    (failure,) = run([wrong], store)
    (attempt,) = failure.attempts
    assert attempt.cause == "error"


def test_one_process_cannot_compute_on_two_devices(evaluation):
    with pytest.raises(
        BenchError, match="devices = 2: a data-parallel training requires a process"
    ):
        InProcessExecutor().check(on_devices(evaluation.training, 2))
