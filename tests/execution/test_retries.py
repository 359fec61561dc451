from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bench.execution.retries import RETRIES, back_off, retried
from bench.trials.records import Attempt, Cause


@pytest.fixture(params=["training", "evaluation"])
def task(request, evaluations):
    return evaluations[0].training if request.param == "training" else evaluations[0]


def attempts(*causes):
    return [Attempt(cause, "", "") for cause in causes]


@pytest.mark.parametrize("cause", get_args(Cause))
def test_a_cause_is_retried_as_often_as_the_table_says(task, cause):
    for failed in range(1, 5):
        again = retried(task, attempts(*[cause] * failed))
        assert (again is not None) == (failed <= RETRIES.get(cause, 0))


def test_causes_are_counted_apart(task):
    assert retried(task, attempts("lost node", "out of memory", "lost node")) is not None
    assert retried(task, attempts("lost node", "error")) is None
    assert retried(task, attempts("out of memory", "lost node", "out of memory")) is None


@pytest.mark.parametrize(("share", "whole"), [(0.0, 0.0), (0.25, 1.0), (1.0, 1.0)])
def test_out_of_memory_gets_whole_devices_and_stays_the_same_task(task, share, whole):
    task = task.with_resources(replace(task.resources, gpus=share))
    again = retried(task, attempts("out of memory"))
    assert again.resources.gpus == whole
    assert again.key == task.key
    assert again.training.key == task.training.key


@pytest.mark.parametrize("cause", get_args(Cause))
def test_only_a_lost_node_is_waited_for(cause):
    assert (back_off(cause) > 0) == (cause == "lost node")


def test_a_lost_node_changes_nothing(task):
    assert retried(task, attempts("lost node")) == task


def test_a_training_on_several_devices_resumes_once_after_a_loss(task):
    devices = task.resources.devices
    training = task.training.with_resources(replace(task.resources, devices=2))
    assert (devices, training.resources.devices) == (1, 2)
    assert retried(training, attempts("lost worker")) == training
    assert retried(training, attempts("lost worker", "lost worker")) is None
    assert retried(task, attempts("lost worker")) is None
