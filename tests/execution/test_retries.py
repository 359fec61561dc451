from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bench.execution.retries import RETRIES, again, back_off
from bench.trials.store import Attempt, Cause


def attempts(*causes):
    return [Attempt(cause, "", "") for cause in causes]


@pytest.mark.parametrize("cause", get_args(Cause))
def test_a_cause_may_strike_as_often_as_is_said(trials, cause):
    allowed = RETRIES.get(cause, 0)
    for strikes in range(1, 5):
        trial = again(trials[0], attempts(*[cause] * strikes))
        assert (trial is not None) == (strikes <= allowed)


def test_causes_are_counted_apart(trials):
    assert again(trials[0], attempts("lost node", "out of memory", "lost node")) is not None
    assert again(trials[0], attempts("lost node", "error")) is None
    assert again(trials[0], attempts("out of memory", "lost node", "out of memory")) is None


@pytest.mark.parametrize(("share", "whole"), [(0.0, 0.0), (0.25, 1.0), (1.0, 1.0), (2.0, 2.0)])
def test_out_of_memory_gets_whole_devices_and_stays_the_same_trial(trials, share, whole):
    trial = replace(trials[0], resources=replace(trials[0].resources, gpus=share))
    retried = again(trial, attempts("out of memory"))
    assert retried.resources.gpus == whole
    assert retried.key == trial.key


@pytest.mark.parametrize("cause", get_args(Cause))
def test_only_a_lost_node_is_waited_for(cause):
    assert (back_off(cause) > 0) == (cause == "lost node")


def test_a_lost_node_changes_nothing(trials):
    assert again(trials[0], attempts("lost node")) == trials[0]
