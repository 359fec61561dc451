"""Load of the machine by other processes."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest
from fake_nvml import FakeNvml

from bench.profiling import machine_load
from bench.profiling.machine_load import Usage, describe_disturbance
from bench.trials.gpu import GpuState, open_gpu

BEFORE = Usage(wall=100.0, own=20.0, everyone=500.0, cores=2)


def after(own: float, everyone: float | None, wall: float = 10.0) -> Usage:
    total = None if everyone is None else BEFORE.everyone + everyone
    return Usage(BEFORE.wall + wall, BEFORE.own + own, total, BEFORE.cores)


@pytest.mark.parametrize("everyone", [10.0, 9.8, 11.9])
def test_an_idle_machine_has_no_disturbance(everyone):
    assert describe_disturbance(BEFORE, after(10.0, everyone)) == ""


def test_another_busy_process_is_reported_though_bench_has_a_whole_core():
    assert describe_disturbance(BEFORE, after(10.0, 20.0)) == (
        "other processes used 50% of the machine's CPU time (at most 10%)"
    )
    assert describe_disturbance(BEFORE, after(10.0, 12.2)).startswith("other processes used 11%")


def test_a_shared_core_is_reported_where_the_load_of_the_machine_is_unknown():
    unknown = Usage(BEFORE.wall, BEFORE.own, None, BEFORE.cores)
    assert describe_disturbance(unknown, after(9.1, None)) == ""
    assert describe_disturbance(unknown, after(5.0, None)) == (
        "bench got only 50% of a core (at least 90%)"
    )
    assert describe_disturbance(BEFORE, after(5.0, 5.0)).startswith("bench got only 50%")


QUIET = GpuState(clock=1980, slowdowns=(), others=0)


@pytest.mark.parametrize(
    ("before", "after_it", "reason"),
    [
        ({}, {}, ""),
        ({"clock": None}, {}, ""),
        ({"others": None}, {"others": None}, ""),
        ({"others": 1}, {}, "1 other process had the GPU open (at most 0)"),
        ({}, {"others": 2}, "2 other processes had the GPU open (at most 0)"),
        (
            {"clock": 345},
            {"clock": 1980},
            "the GPU's clock went from 345 to 1980 MHz (at most a factor of 1.1)",
        ),
        (
            {"clock": 1980},
            {"clock": 1500},
            "the GPU's clock went from 1980 to 1500 MHz (at most a factor of 1.1)",
        ),
        ({"clock": 1980}, {"clock": 1900}, ""),
        (
            {"slowdowns": ("a",)},
            {"slowdowns": ("a", "b"), "others": 1},
            "1 other process had the GPU open (at most 0), and the GPU was slowed down (a, b)",
        ),
    ],
)
def test_disturbances_of_a_gpu_are_reported(before, after_it, reason):
    begun = replace(BEFORE, gpu=replace(QUIET, **before))
    ended = replace(after(10.0, 10.0), gpu=replace(QUIET, **after_it))
    assert describe_disturbance(begun, ended) == reason


def test_a_disturbed_host_is_reported_beside_a_disturbed_gpu():
    begun = replace(BEFORE, gpu=QUIET)
    ended = replace(after(10.0, 20.0), gpu=replace(QUIET, others=1))
    parts = describe_disturbance(begun, ended).split(", and ")
    assert [part.split()[0] for part in parts] == ["other", "1"]


def test_usage_has_the_state_of_the_gpu():
    nvml = FakeNvml()
    gpu = open_gpu("1234", nvml)
    nvml.clock = 345
    assert machine_load.read_usage(gpu).gpu == GpuState(clock=345, slowdowns=(), others=0)
    assert machine_load.read_usage().gpu is None


def test_usage_is_read_from_the_system(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine_load, "_STAT", stat)
    assert machine_load.read_usage().everyone is None
    stat.write_text("cpu  100 200 300 9000 8000 10 20 30 40 50\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    monkeypatch.setattr(machine_load.os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    assert machine_load.read_usage().everyone == 6.6


def test_usage_grows_with_the_work_of_this_process():
    before = machine_load.read_usage()
    ends = time.process_time() + 0.2
    while time.process_time() < ends:
        pass
    now = machine_load.read_usage()
    assert now.own - before.own >= 0.2
    assert now.wall - before.wall >= 0.15
    if now.everyone is not None:
        assert now.everyone - before.everyone >= 0.15


def test_the_cpu_time_of_a_finished_program_counts_as_own():
    before = machine_load.read_usage()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    assert machine_load.read_usage().own - before.own >= 0.1
