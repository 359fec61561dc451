"""What records say of the device of this process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from fake_nvml import FakeNvml

from bench.training import accelerator
from bench.trials.provenance import Device


@pytest.fixture
def cuda(monkeypatch):
    """Have torch see a GPU."""
    properties = SimpleNamespace(uuid="1234")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: properties)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Example GPU")
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 92600)


def test_a_cpu_has_neither_driver_nor_cuda():
    assert accelerator.describe_device("cpu", FakeNvml()) == Device("cpu")


def test_a_gpu_has_its_driver_cuda_and_cudnn(cuda):
    assert accelerator.describe_device("cuda", FakeNvml()) == Device(
        "cuda", gpu="Example GPU", driver="580.65.06", cuda="13.2", cudnn="9.26.0"
    )


def test_a_gpu_that_its_driver_does_not_describe_still_has_a_name(cuda):
    device = accelerator.describe_device("cuda", FakeNvml("GPU-5678"))
    assert (device.gpu, device.driver) == ("Example GPU", None)


@pytest.mark.parametrize(
    ("number", "version"), [(91002, "9.10.2"), (90100, "9.1.0"), (8907, "8.9.7"), (None, None)]
)
def test_a_version_of_cudnn_is_written_as_people_do(number, version):
    assert accelerator.cudnn_version(number) == version


def test_on_a_cpu_no_peak_is_claimed():
    accelerator.reset_peak_memory("cpu")
    assert accelerator.peak_memory("cpu") is None


@pytest.mark.gpu
def test_the_peak_of_a_gpu_is_what_its_tensors_took():
    held = torch.zeros(2**20, device="cuda")
    accelerator.reset_peak_memory("cuda")
    before = accelerator.peak_memory("cuda")
    assert before >= held.nbytes
    (held + held).sum()
    assert accelerator.peak_memory("cuda") >= before + held.nbytes
    accelerator.reset_peak_memory("cuda")
    assert accelerator.peak_memory("cuda") == before
