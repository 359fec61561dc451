"""Which hardware is measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from bench.config.suite import Resources
from bench.core.errors import BenchError
from bench.profiling import hardware
from bench.profiling.hardware import Hardware
from bench.trials.provenance import cpu_model


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """Have torch see a GPU."""
    monkeypatch.setattr(hardware, "_DRIVERS", (str(tmp_path),))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Example GPU")


def test_a_gpu_is_taken_where_it_may_be(gpu):
    assert hardware.find(Resources(cpus=2)) == Hardware("cuda", "Example GPU", 2, os.cpu_count())
    assert hardware.find(Resources(device="cuda")).device == "cuda"
    assert hardware.find(Resources(device="cpu")).device == "cpu"


def test_without_a_gpu_it_is_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = hardware.find(Resources(cpus=1))
    assert found == Hardware("cpu", cpu_model(), 1, os.cpu_count())
    assert found.line == f"{cpu_model()}, 1 of {os.cpu_count()} cores"


def test_a_gpu_that_is_demanded_and_not_there_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BenchError, match="this process sees no GPU"):
        hardware.find(Resources(device="cuda"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only torch knows")
def test_without_a_driver_torch_is_not_asked():
    program = (
        "import sys; from bench.config.suite import Resources\n"
        "from bench.profiling import hardware\n"
        "hardware._DRIVERS = ('/nowhere/nvidiactl',)\n"
        "hardware.find(Resources()); print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "False\n", answer.stderr
