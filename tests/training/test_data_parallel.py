"""Trainings on several devices, on CPUs with gloo: they compute what one device computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toy_ranks import initial_network, meet, resume, train_cases, trained

from bench.execution.task_process import TaskProcess
from bench.trials.events import Finished, Listening
from bench.trials.rank import Rank

RANKS = 2


def run_ranks(function, *arguments):
    """Call a function on two ranks; return their last reports, or that of rank 1 if it failed."""
    first = TaskProcess(function, (Rank(count=RANKS), *arguments))
    reports = first.reports()
    listening = next(reports)
    assert isinstance(listening, Listening), listening
    second = TaskProcess(function, (replace(listening.rank, number=1), *arguments))
    *_, last_of_second = second.reports()
    if not isinstance(last_of_second, Finished):
        first.kill()
        return (last_of_second,)
    *_, last_of_first = reports
    return last_of_first, last_of_second


@pytest.fixture(scope="module", params=[1, 2], ids=["a batch a step", "two batches a step"])
def both(request, tmp_path_factory):
    """Return a function from a case to what two ranks and one device made of it."""
    file = tmp_path_factory.mktemp("ranks") / "results.pt"
    for last in run_ranks(train_cases, request.param, str(file)):
        assert isinstance(last, Finished), last
    together = torch.load(file, weights_only=True)

    def results(name):
        _, reported, state = trained(name, request.param)
        return together[name], (reported, state)

    return results


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("crnn × ctc", 1e-5),
        pytest.param("cslr-resnet18 × vac(radial)", 1e-5, marks=pytest.mark.slow),
        # Rounding grows: without oneDNN's convolutions one device is apart from itself by 2e-3.
        pytest.param("abinet-vision × conclr", 5e-3, marks=pytest.mark.slow),
    ],
)
def test_two_ranks_have_the_losses_and_weights_of_one_device(both, name, tolerance):
    (losses, weights), (expected_losses, expected) = both(name)
    assert len(losses) > 1
    assert losses == pytest.approx(expected_losses, rel=max(1e-6, tolerance / 10))
    assert weights.keys() == expected.keys()
    initial = initial_network(name).state_dict()
    moved, expected_moved = (
        torch.cat([(state[key] - initial[key]).flatten().double() for key in expected])
        for state in (weights, expected)
    )
    assert expected_moved.norm() > 0
    assert (moved - expected_moved).norm() / expected_moved.norm() < tolerance


def test_ranks_that_have_read_different_checkpoints_do_not_train():
    assert all(isinstance(last, Finished) for last in run_ranks(resume, (4, 4)))
    (failure,) = run_ranks(resume, (4, 2))
    assert "resumes after step 2 and rank 0 after step 4" in failure.message


def test_ranks_on_a_cpu_and_a_gpu_do_not_train():
    (failure,) = run_ranks(meet, ("cpu", "cuda"))
    assert "this rank has device 'cuda' and rank 0 has 'cpu'" in failure.message
