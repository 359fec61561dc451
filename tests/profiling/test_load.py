"""Who used the machine meanwhile."""

from __future__ import annotations

import time

import pytest

from bench.profiling import load
from bench.profiling.load import Usage, disturbance

BEFORE = Usage(wall=100.0, own=20.0, everyone=500.0, cores=2)


def after(own: float, everyone: float | None, wall: float = 10.0) -> Usage:
    total = None if everyone is None else BEFORE.everyone + everyone
    return Usage(BEFORE.wall + wall, BEFORE.own + own, total, BEFORE.cores)


@pytest.mark.parametrize("everyone", [10.0, 9.8, 11.9])
def test_an_idle_machine_is_undisturbed(everyone):
    assert disturbance(BEFORE, after(10.0, everyone)) == ""


def test_another_busy_process_is_reported_though_bench_has_a_whole_core():
    assert disturbance(BEFORE, after(10.0, 20.0)) == (
        "other processes used 50% of the machine's CPU time (at most 10%)"
    )
    assert disturbance(BEFORE, after(10.0, 12.2)).startswith("other processes used 11%")


def test_a_shared_core_is_reported_where_the_load_of_the_machine_is_unknown():
    unknown = Usage(BEFORE.wall, BEFORE.own, None, BEFORE.cores)
    assert disturbance(unknown, after(9.1, None)) == ""
    assert disturbance(unknown, after(5.0, None)) == ("bench got only 50% of a core (at least 90%)")
    assert disturbance(BEFORE, after(5.0, 5.0)).startswith("bench got only 50%")


def test_usage_is_read_from_the_system(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    monkeypatch.setattr(load, "_STAT", stat)
    assert load.usage().everyone is None
    stat.write_text("cpu  100 200 300 9000 8000 10 20 30 40 50\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    monkeypatch.setattr(load.os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    assert load.usage().everyone == 6.6


def test_usage_grows_with_the_work_of_this_process():
    before = load.usage()
    ends = time.process_time() + 0.2
    while time.process_time() < ends:
        pass
    now = load.usage()
    assert now.own - before.own >= 0.2
    assert now.wall - before.wall >= 0.15
    if now.everyone is not None:
        assert now.everyone - before.everyone >= 0.15
