"""A GPU as its driver describes it."""

from __future__ import annotations

import pytest
from fake_nvml import FakeNvml

from bench.trials.gpu import GpuState, open_gpu


@pytest.fixture
def nvml():
    return FakeNvml()


def test_a_gpu_is_found_by_its_uuid(nvml):
    gpu = open_gpu("1234", nvml)
    assert (gpu.driver, gpu.power_limit, gpu.mig) == ("580.65.06", 700, False)
    assert gpu.state() == GpuState(clock=1980, slowdowns=(), others=0)
    assert open_gpu("5678", nvml) is None


def test_an_instance_of_a_divided_gpu_is_described_by_the_whole_gpu():
    nvml = FakeNvml("MIG-1234")
    gpu = open_gpu("1234", nvml)
    assert gpu.mig
    nvml.processes = [object()] * 3
    assert gpu.state().others == 2


def test_processes_besides_this_one_are_counted_without_their_ids(nvml):
    gpu = open_gpu("1234", nvml)
    for processes, others in ((0, 0), (1, 0), (2, 1), (4, 3)):
        nvml.processes = [object()] * processes
        assert gpu.state().others == others


@pytest.mark.parametrize(
    ("reasons", "slowdowns"),
    [
        (0x01 | 0x02 | 0x04 | 0x100, ()),
        (0x08, ("hardware slowdown",)),
        (0x20 | 0x40, ("software thermal limit", "hardware thermal limit")),
        (0x10 | 0x80, ("the clock of another GPU", "power brake")),
    ],
)
def test_what_slows_a_gpu_down_is_named_except_for_its_normal_working(nvml, reasons, slowdowns):
    nvml.reasons = reasons
    assert open_gpu("1234", nvml).state().slowdowns == slowdowns


def test_what_the_driver_does_not_answer_is_unknown(nvml):
    nvml.driver = nvml.power_limit = nvml.clock = nvml.reasons = nvml.processes = None
    gpu = open_gpu("1234", nvml)
    assert (gpu.driver, gpu.power_limit) == (None, None)
    assert gpu.state() == GpuState(clock=None, slowdowns=(), others=None)


def test_without_a_driver_there_is_no_gpu(nvml):
    nvml.starts = False
    assert open_gpu("1234", nvml) is None


def test_the_real_library_knows_no_such_gpu():
    assert open_gpu("00000000-0000-0000-0000-000000000000") is None


def test_without_the_library_there_is_no_gpu(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert open_gpu("1234") is None


def test_the_library_has_all_functions_that_are_called():
    import pynvml

    called = [name for name in vars(FakeNvml) if name.startswith(("nvml", "NVML"))]
    assert len(called) == 10
    for name in called:
        assert hasattr(pynvml, name)
