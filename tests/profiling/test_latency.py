"""The method on a clock of its own: what is sampled, and what is believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import count

import pytest

from bench.profiling import latency, load
from bench.profiling.load import Usage


class Machine:
    """A clock that only calls and waits move; each call of `seconds` ends in a wait."""

    def __init__(self, seconds, *, quiet=True):
        self.seconds = iter(seconds)
        self.quiet = quiet
        self.now = 0.0
        self.pending = 0.0
        self.said: list[str] = []

    def call(self) -> None:
        self.said.append("call")
        self.pending = next(self.seconds)

    def synchronise(self) -> None:
        self.said.append("wait")
        self.now += self.pending
        self.pending = 0.0

    def clock(self) -> float:
        self.said.append("clock")
        return self.now

    def usage(self) -> Usage:
        self.said.append("usage")
        return Usage(self.now, self.now, self.now if self.quiet else 2 * self.now, 2)

    def figure(self):
        return latency.figure(
            self.call,
            batch=24,
            decoded=True,
            clock=self.clock,
            synchronise=self.synchronise,
            usage=self.usage,
        )


def warm(*seconds: float) -> list[float]:
    return [99.0] * latency.WARM_UP + list(seconds)


def test_percentiles_are_samples_by_nearest_rank():
    samples = [float(n) for n in range(100, 0, -1)]
    assert latency.percentile(samples, 50) == 50
    assert latency.percentile(samples, 90) == 90
    assert latency.percentile(samples[:64], 90) == 94
    assert latency.percentile([7.0], 90) == 7


def test_the_samples_are_kept_in_order_without_the_warm_up():
    seconds = [(64 + n) / 512 for n in (*range(0, 32, 2), *range(1, 32, 2), *range(32))]
    found = Machine(warm(*seconds)).figure()
    assert found.milliseconds == [1000 * second for second in seconds]
    assert (found.p50, found.p90) == (1000 * (64 + 15) / 512, 1000 * (64 + 28) / 512)
    assert (found.batch, found.decoded) == (24, True)
    assert (found.valid, found.reason) == (True, "")


def test_every_sample_is_between_two_waits():
    machine = Machine(warm(*[0.125] * 64))
    machine.figure()
    prologue = [*["call"] * latency.WARM_UP, "wait", "usage", "clock"]
    assert machine.said[: len(prologue)] == prologue
    assert machine.said[len(prologue) : -1] == ["wait", "clock", "call", "wait", "clock"] * 64
    assert machine.said[-1] == "usage"


def test_quick_calls_are_sampled_for_the_least_time():
    found = Machine(warm(*[1 / 128] * 500)).figure()
    assert len(found.milliseconds) == 128


def test_slow_calls_are_sampled_to_the_floor():
    found = Machine(warm(*[0.25] * 500)).figure()
    assert len(found.milliseconds) == latency.LEAST_SAMPLES
    assert found.valid


def test_too_few_samples_within_the_most_time_are_invalid():
    found = Machine(warm(*[4.0] * 500)).figure()
    assert len(found.milliseconds) == 5
    assert not found.valid
    assert found.reason == "only 5 samples in 20 s (at least 64)"


def test_a_busy_machine_is_invalid():
    found = Machine(warm(*[0.25] * 500), quiet=False).figure()
    assert not found.valid
    assert found.reason == "other processes used 50% of the machine's CPU time (at most 10%)"
    assert found.p50 == 250


@pytest.mark.parametrize(("slow", "valid"), [(1.5, True), (1.75, False)])
def test_a_wide_spread_is_invalid(slow, valid):
    found = Machine(warm(*[0.125] * 57, *[0.125 * slow] * 7)).figure()
    assert found.p90 == 125 * slow
    assert found.valid == valid
    assert found.reason == ("" if valid else "p90 is 1.75 times p50 (at most 1.5)")


def test_every_fault_is_told():
    slow = [1.0 if n % 2 else 4.0 for n in range(20)]
    found = Machine(warm(*slow), quiet=False).figure()
    assert [part.split()[0] for part in found.reason.split(", and ")] == ["only", "other", "p90"]


@pytest.mark.skipif(load.usage().everyone is None, reason="this system does not tell its load")
def test_a_real_second_process_on_all_cores_is_invalid():
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    numbers = count()
    try:
        found = latency.figure(
            lambda: sum(range(50_000 + next(numbers) % 2)),
            batch=1,
            decoded=False,
            clock=time.perf_counter,
            synchronise=lambda: None,
            usage=load.usage,
        )
    finally:
        for process in spinning:
            process.kill()
            process.wait()
    assert not found.valid
    assert "other processes used" in found.reason
    assert len(found.milliseconds) >= latency.LEAST_SAMPLES
