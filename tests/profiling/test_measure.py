"""Real recognizers on real samples, sampled just long enough."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bench.core.hashing import digest
from bench.core.types import Batch
from bench.profiling import hardware, latency, measure, method
from bench.tasks.trial import run_trial


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(latency, "LEAST_SECONDS", 0.0)


@pytest.fixture
def here(trials):
    return hardware.find(replace(trials[0].resources, device="cpu"))


def batch(lengths: list[int]) -> Batch:
    numbers = torch.arange(len(lengths))
    inputs = numbers.view(-1, 1, 1, 1, 1).expand(-1, max(lengths), 1, 2, 2).float()
    nothing = torch.zeros(len(lengths), 0, dtype=torch.int64)
    return Batch(inputs, torch.tensor(lengths), nothing, numbers, nothing, ("",) * len(lengths))


def test_a_batch_is_filled_longest_first_and_round_and_round():
    inputs, lengths = measure.filled(batch([3, 5, 4]), 5)
    assert lengths.tolist() == [5, 4, 3, 5, 4]
    assert inputs[:, 0, 0, 0, 0].tolist() == [1, 2, 0, 1, 2]
    inputs, lengths = measure.filled(batch([3, 5, 4]), 1)
    assert inputs.shape == (1, 5, 1, 2, 2)
    assert lengths.tolist() == [5]


def test_a_profile_of_untrained_weights(trials, store, here):
    found = measure.measure(trials[0], store, here)
    assert found.weights is None
    # Two digits, three frames between them, and two at each end.
    assert found.spec["input"] == [9, 1, 8, 8]
    assert found.spec["classes"] == 11
    assert found.key == digest(found.spec)
    assert found.hardware == here.line
    assert found.datasets == [trials[0].spec["dataset"]]
    assert [(figure.batch, figure.decoded) for figure in found.figures] == [
        (1, False),
        (1, True),
        (24, False),
        (24, True),
    ]
    for figure in found.figures:
        assert len(figure.milliseconds) >= latency.LEAST_SAMPLES
        assert figure.p50 == latency.percentile(figure.milliseconds, 50)
        assert figure.valid == (not figure.reason)
    assert found.figures[2].p50 > found.figures[0].p50
    assert torch.get_num_threads() == found.provenance.threads == here.threads


def test_a_profile_is_of_the_tested_weights(trials, store, here):
    list(run_trial(trials[0], store))
    record = store.record(trials[0])
    found = measure.measure(trials[0], store, here)
    assert found.weights == trials[0].key
    assert found.parameters == record.parameters
    assert not torch.are_deterministic_algorithms_enabled()


def test_only_invalid_figures_are_measured_again(trials, store, here):
    first = measure.measure(trials[0], store, here)
    figures = [replace(one, valid=True, reason="") for one in first.figures]
    figures[1:] = [replace(one, valid=False, reason="busy") for one in figures[1:]]
    store.keep(replace(first, figures=figures))
    second = measure.measure(trials[0], store, here)
    assert second.key == first.key
    assert second.figures[0] == figures[0]
    for before, after in zip(figures[1:], second.figures[1:], strict=True):
        assert before.milliseconds != after.milliseconds


def test_figures_by_other_packages_are_not_kept(trials, store, here):
    first = measure.measure(trials[0], store, here)
    valid, *others = (replace(figure, valid=True, reason="") for figure in first.figures)
    figures = [valid, *(replace(figure, valid=False, reason="busy") for figure in others)]
    older = replace(first.provenance, packages={"torch": "1.0"})
    store.keep(replace(first, figures=figures, provenance=older))
    assert measure.measure(trials[0], store, here).figures[0] != valid


def test_datasets_of_one_shape_share_a_profile(trials, store, here):
    first = measure.measure(trials[0], store, here)
    figures = [replace(figure, valid=True, reason="") for figure in first.figures]
    store.keep(replace(first, figures=figures))
    twin = replace(trials[0], dataset=replace(trials[0].dataset, rounds=2))
    found = measure.measure(twin, store, here)
    assert found.key == first.key
    assert found.figures == figures
    assert found.datasets == [trials[0].spec["dataset"], twin.spec["dataset"]]
    assert method.covers(found, twin.spec)


@pytest.mark.gpu
def test_a_gpu_is_waited_for(trials, store):
    found = measure.measure(trials[0], store, hardware.find(trials[0].resources))
    assert found.provenance.device == "cuda"
    assert found.provenance.gpu == torch.cuda.get_device_name()
    assert all(figure.p50 > 0.01 for figure in found.figures)
