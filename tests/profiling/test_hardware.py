"""The hardware on which profiles are measured."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from fake_nvml import FakeNvml

from bench.config.recipe import Resources
from bench.core.errors import BenchError
from bench.profiling import hardware
from bench.profiling.hardware import Hardware, find_hardware
from bench.trials.provenance import cpu_model


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """Make torch report a GPU."""
    monkeypatch.setattr(hardware, "_DRIVERS", (str(tmp_path),))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Example GPU")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: SimpleNamespace(uuid="1234"))
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 92600)


def test_a_gpu_is_used_where_resources_allow_one(gpu):
    gpu_hardware = find_hardware(Resources(cpus=2), FakeNvml())
    assert gpu_hardware == Hardware(
        "cuda", "Example GPU", 2, os.cpu_count(), driver="580.65.06", cuda="13.2", power_limit=700
    )
    assert gpu_hardware.line == (
        f"Example GPU, driver 580.65.06, CUDA 13.2, 700 W, 2 of {os.cpu_count()} cores"
    )
    assert find_hardware(Resources(device="cuda")).device == "cuda"
    assert find_hardware(Resources(device="cpu")).device == "cpu"


def test_a_gpu_whose_driver_reports_nothing_is_still_used(gpu):
    gpu_hardware = find_hardware(Resources(), FakeNvml("GPU-5678"))
    assert (gpu_hardware.name, gpu_hardware.driver, gpu_hardware.power_limit) == (
        "Example GPU",
        None,
        None,
    )
    assert gpu_hardware.line == f"Example GPU, CUDA 13.2, 1 of {os.cpu_count()} cores"


def test_unknown_values_of_the_hardware_are_not_in_keys():
    cpu = Hardware("cpu", "Example CPU", 1, 2)
    assert cpu.spec() == {"device": "cpu", "name": "Example CPU", "threads": 1, "cores": 2}
    gpu = Hardware("cuda", "Example GPU", 1, 2, driver="580", cuda="13.2", power_limit=700)
    assert gpu.spec().items() >= {"driver": "580", "cuda": "13.2", "power_limit": 700}.items()


def test_without_a_gpu_the_hardware_is_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    processor = find_hardware(Resources(cpus=1))
    assert processor == Hardware("cpu", cpu_model(), 1, os.cpu_count())
    assert processor.line == f"{cpu_model()}, 1 of {os.cpu_count()} cores"


def test_a_missing_gpu_that_resources_require_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BenchError, match="this process has no GPU"):
        find_hardware(Resources(device="cuda"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only torch knows")
def test_without_a_driver_torch_is_not_imported():
    program = (
        "import sys; from bench.config.recipe import Resources\n"
        "from bench.profiling import hardware\n"
        "hardware._DRIVERS = ('/nowhere/nvidiactl',)\n"
        "hardware.find_hardware(Resources()); print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "False\n", answer.stderr
