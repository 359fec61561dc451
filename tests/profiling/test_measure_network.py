"""Profiles of real networks on real samples, with few calls."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bench.core.hashing import digest
from bench.core.types import Batch
from bench.decoding.beam import BeamDecoder
from bench.profiling import latency, measure_network, method, throughput
from bench.profiling.hardware import find_hardware
from bench.profiling.instruments import find_instruments
from bench.tasks.task import run_task
from bench.trials.records import Throughput


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(latency, "MIN_SECONDS", 0.0)


@pytest.fixture
def this_hardware(evaluations):
    return find_hardware(replace(evaluations[0].resources, device="cpu"))


def batch(lengths: list[int]) -> Batch:
    numbers = torch.arange(len(lengths))
    inputs = numbers.view(-1, 1, 1, 1, 1).expand(-1, max(lengths), 1, 2, 2).float()
    nothing = torch.zeros(len(lengths), 0, dtype=torch.int64)
    names = ("",) * len(lengths)
    return Batch(inputs, torch.tensor(lengths), nothing, numbers, nothing, names, names)


def test_a_batch_is_filled_longest_first_and_repeated():
    inputs, lengths = measure_network.fill_batch(batch([3, 5, 4]), 5)
    assert lengths.tolist() == [5, 4, 3, 5, 4]
    assert inputs[:, 0, 0, 0, 0].tolist() == [1, 2, 0, 1, 2]
    inputs, lengths = measure_network.fill_batch(batch([3, 5, 4]), 1)
    assert inputs.shape == (1, 5, 1, 2, 2)
    assert lengths.tolist() == [5]


def test_a_profile_of_untrained_weights(evaluations, store, this_hardware):
    profile = measure_network.measure_network(evaluations[0], store, this_hardware)
    assert profile.weights is None
    # Two digits, three frames between them, and two at each end.
    assert profile.spec["input"] == [9, 1, 8, 8]
    assert profile.spec["classes"] == 11
    assert profile.key == digest(profile.spec)
    assert profile.hardware == this_hardware.line
    assert method.profile_covers(profile, evaluations[0].spec, evaluations[0].training.spec)
    assert [(each.batch, each.decoded) for each in profile.latencies] == [
        (1, False),
        (1, True),
        (24, False),
        (24, True),
    ]
    for each in profile.latencies:
        assert len(each.milliseconds) >= latency.MIN_SAMPLES
        assert each.p50 == latency.percentile(each.milliseconds, 50)
        assert each.valid == (not each.reason)
    assert profile.latencies[2].p50 > profile.latencies[0].p50
    assert torch.get_num_threads() == profile.provenance.threads == this_hardware.threads


def test_a_profile_uses_the_trained_weights(evaluations, store, this_hardware):
    list(run_task(evaluations[0].training, store))
    record = store.record(evaluations[0].training)
    profile = measure_network.measure_network(evaluations[0], store, this_hardware)
    assert profile.weights == evaluations[0].training.key
    assert profile.parameters == record.parameters
    assert not torch.are_deterministic_algorithms_enabled()


def test_latencies_to_labels_include_the_decoder(evaluations, store, this_hardware, monkeypatch):
    widths = []
    build = BeamDecoder.build

    def watched(decoder, family, vocabulary):
        widths.append(decoder.width)
        return build(decoder, family, vocabulary)

    monkeypatch.setattr(BeamDecoder, "build", watched)
    beam = replace(evaluations[0], decoder=BeamDecoder(width=3))
    profile = measure_network.measure_network(beam, store, this_hardware)
    assert widths == [3]
    assert profile.labels["decoder"] == "beam(width=3)"
    assert profile.key != measure_network.measure_network(evaluations[0], store, this_hardware).key


def test_only_invalid_latencies_are_measured_again(evaluations, store, this_hardware):
    first = measure_network.measure_network(evaluations[0], store, this_hardware)
    latencies = [replace(each, valid=True, reason="") for each in first.latencies]
    latencies[1:] = [replace(each, valid=False, reason="busy") for each in latencies[1:]]
    invalid = replace(first, latencies=latencies)
    store.keep(invalid)
    assert (
        measure_network.measure_network(evaluations[0], store, this_hardware, {first.key})
        == invalid
    )
    second = measure_network.measure_network(evaluations[0], store, this_hardware)
    assert second.key == first.key
    assert second.latencies[0] == latencies[0]
    for before, after in zip(latencies[1:], second.latencies[1:], strict=True):
        assert before.milliseconds != after.milliseconds


def test_latencies_with_other_package_versions_are_not_reused(evaluations, store, this_hardware):
    first = measure_network.measure_network(evaluations[0], store, this_hardware)
    valid, *others = (replace(each, valid=True, reason="") for each in first.latencies)
    latencies = [valid, *(replace(each, valid=False, reason="busy") for each in others)]
    older = replace(first.provenance, packages={"torch": "1.0"})
    store.keep(replace(first, latencies=latencies, provenance=older))
    assert (
        measure_network.measure_network(evaluations[0], store, this_hardware).latencies[0] != valid
    )


def test_test_sets_of_one_shape_share_a_profile(evaluations, store, this_hardware):
    first = measure_network.measure_network(evaluations[0], store, this_hardware)
    latencies = [replace(each, valid=True, reason="") for each in first.latencies]
    store.keep(replace(first, latencies=latencies))
    other = replace(evaluations[0], test=replace(evaluations[0].test, rounds=2))
    shared = measure_network.measure_network(other, store, this_hardware)
    assert shared.key == first.key
    assert shared.latencies == latencies
    assert [conditions["test"] for conditions in shared.tests] == [
        evaluations[0].spec["test"],
        other.spec["test"],
    ]
    for each in (evaluations[0], other):
        assert method.profile_covers(shared, each.spec, each.training.spec)


def test_on_a_cpu_the_profile_has_no_values_of_a_gpu(evaluations, store, this_hardware):
    profile = measure_network.measure_network(evaluations[0], store, this_hardware)
    assert profile.throughput is None
    assert profile.provenance.gpus is None
    for each in profile.latencies:
        assert each.peak_memory is None
        assert each.clocks == []


class OnGpu(measure_network.MeasuredNetwork):
    """A network that claims to be on a GPU, but is on this CPU."""

    def __init__(self, decode=None):
        network = torch.nn.Flatten(2)
        super().__init__(
            lambda inputs, lengths: (network(inputs), lengths), decode, batch([3, 5]), "cpu"
        )
        self.device = "cuda"


def test_a_gpu_has_a_throughput_and_a_valid_one_is_reused(monkeypatch):
    monkeypatch.setattr(throughput, "MIN_SECONDS", 0.001)
    instruments = find_instruments("cpu")
    first = measure_network.gpu_throughput(OnGpu(), instruments)
    assert first.tried.keys() >= {"32", "64"}
    valid = replace(first, valid=True, reason="")
    assert measure_network.gpu_throughput(OnGpu(), instruments, valid) is valid
    invalid = replace(first, valid=False, reason="busy")
    assert measure_network.gpu_throughput(OnGpu(), instruments, invalid) is not invalid


def test_a_profile_whose_throughput_is_invalid_is_invalid(evaluations, make_profile):
    profile = make_profile(evaluations[0])
    assert profile.valid
    full = Throughput(64, 1000.0, valid=True, reason="", tried={"64": 1000.0})
    assert replace(profile, throughput=full).valid
    assert not replace(profile, throughput=replace(full, valid=False, reason="busy")).valid


@pytest.mark.gpu
def test_a_gpu_is_synchronized_and_filled(evaluations, store):
    gpu_hardware = find_hardware(evaluations[0].resources)
    profile = measure_network.measure_network(evaluations[0], store, gpu_hardware)
    assert profile.provenance.device == "cuda"
    assert profile.provenance.gpu == torch.cuda.get_device_name()
    assert profile.provenance.driver == gpu_hardware.driver
    assert gpu_hardware.driver
    assert gpu_hardware.power_limit
    assert all(each.p50 > 0.01 for each in profile.latencies)
    weights = 4 * profile.parameters.total
    for each in profile.latencies:
        assert each.peak_memory > weights
        assert len(each.clocks) == 2
    small = next(each for each in profile.latencies if each.batch == 24)
    assert profile.throughput.samples_per_second > 1000 * 24 / small.p50 / 2
    assert profile.throughput.peak_memory > small.peak_memory
