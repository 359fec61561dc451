"""Latency on a simulated clock: which calls are timed, and which results are valid."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count

import pytest

from bench.profiling import latency, machine_load
from bench.profiling.instruments import GPU_WARM_UP_SECONDS, Instruments, find_instruments
from bench.profiling.machine_load import Usage
from bench.trials.gpu import GpuState


class Machine:
    """A clock that only calls and waits advance; each call of `seconds` ends in a wait."""

    def __init__(self, seconds, *, quiet=True):
        self.seconds = iter(seconds)
        self.quiet = quiet
        self.now = 0.0
        self.pending = 0.0
        self.gpu: GpuState | None = None
        self.warm_up_seconds = 0.0
        self.calls: list[str] = []

    def call(self) -> None:
        self.calls.append("call")
        self.pending = next(self.seconds)

    def synchronize(self) -> None:
        self.calls.append("wait")
        self.now += self.pending
        self.pending = 0.0

    def clock(self) -> float:
        self.calls.append("clock")
        return self.now

    def usage(self) -> Usage:
        self.calls.append("usage")
        everyone = self.now if self.quiet else 2 * self.now
        return Usage(self.now, self.now, everyone, 2, self.gpu)

    def measure(self):
        instruments = Instruments(
            clock=self.clock,
            synchronize=self.synchronize,
            usage=self.usage,
            reset_memory=lambda: self.calls.append("reset"),
            peak_memory=lambda: 4096,
            memory=None,
            warm_up_seconds=self.warm_up_seconds,
        )
        return latency.measure_latency(self.call, instruments, batch=24, decoded=True)


def warm(*seconds: float) -> list[float]:
    return [99.0] * latency.WARM_UP_CALLS + list(seconds)


def without(calls: list[str], *names: str) -> list[str]:
    return [call for call in calls if call not in names]


def test_percentiles_are_samples_by_nearest_rank():
    samples = [float(n) for n in range(100, 0, -1)]
    assert latency.percentile(samples, 50) == 50
    assert latency.percentile(samples, 90) == 90
    assert latency.percentile(samples[:64], 90) == 94
    assert latency.percentile([7.0], 90) == 7


def test_the_samples_are_kept_in_order_without_the_warm_up():
    seconds = [(64 + n) / 512 for n in (*range(0, 32, 2), *range(1, 32, 2), *range(32))]
    measured = Machine(warm(*seconds)).measure()
    assert measured.milliseconds == [1000 * second for second in seconds]
    assert (measured.p50, measured.p90) == (1000 * (64 + 15) / 512, 1000 * (64 + 28) / 512)
    assert (measured.batch, measured.decoded) == (24, True)
    assert (measured.valid, measured.reason) == (True, "")


def test_the_device_is_synchronized_before_and_after_each_sample():
    machine = Machine(warm(*[0.125] * 64))
    machine.measure()
    begun, ended = (n for n, call in enumerate(machine.calls) if call == "usage")
    warming = without(machine.calls[:begun], "clock", "reset")
    assert warming == ["call", "wait"] * latency.WARM_UP_CALLS
    sampled = ["wait", "clock", "call", "wait", "clock"] * 64
    assert machine.calls[begun:ended] == ["usage", "clock", *sampled]
    assert machine.calls[ended:] == ["usage"]


def test_a_gpu_is_kept_busy_until_its_clock_has_risen():
    machine = Machine([1 / 256] * 1000)
    machine.warm_up_seconds = GPU_WARM_UP_SECONDS
    measured = machine.measure()
    before = machine.calls[: machine.calls.index("usage")]
    assert before.count("call") == GPU_WARM_UP_SECONDS * 256
    assert len(measured.milliseconds) == 256


def test_the_peak_memory_is_that_of_the_calls():
    machine = Machine(warm(*[0.125] * 64))
    assert machine.measure().peak_memory == 4096
    assert machine.calls.index("reset") < machine.calls.index("call")


def test_a_gpu_that_others_use_is_invalid_and_its_clocks_are_kept():
    machine = Machine(warm(*[0.125] * 64))
    machine.gpu = GpuState(clock=1980, slowdowns=(), others=1)
    measured = machine.measure()
    assert measured.clocks == [1980, 1980]
    assert measured.reason == "1 other process had the GPU open (at most 0)"
    assert not measured.valid


def test_quick_calls_are_repeated_for_the_minimum_time():
    measured = Machine(warm(*[1 / 128] * 500)).measure()
    assert len(measured.milliseconds) == 128


def test_slow_calls_are_repeated_up_to_the_minimum_number():
    measured = Machine(warm(*[0.25] * 500)).measure()
    assert len(measured.milliseconds) == latency.MIN_SAMPLES
    assert measured.valid


def test_too_few_samples_within_the_maximum_time_are_invalid():
    measured = Machine(warm(*[4.0] * 500)).measure()
    assert len(measured.milliseconds) == 5
    assert not measured.valid
    assert measured.reason == "only 5 samples in 20 s (at least 64)"


def test_a_busy_machine_is_invalid():
    measured = Machine(warm(*[0.25] * 500), quiet=False).measure()
    assert not measured.valid
    assert measured.reason == "other processes used 50% of the machine's CPU time (at most 10%)"
    assert measured.p50 == 250


@pytest.mark.parametrize(("slow", "valid"), [(1.5, True), (1.75, False)])
def test_a_wide_spread_is_invalid(slow, valid):
    measured = Machine(warm(*[0.125] * 57, *[0.125 * slow] * 7)).measure()
    assert measured.p90 == 125 * slow
    assert measured.valid == valid
    assert measured.reason == ("" if valid else "p90 is 1.75 times p50 (at most 1.5)")


def test_every_reason_is_reported():
    slow = [1.0 if n % 2 else 4.0 for n in range(20)]
    measured = Machine(warm(*slow), quiet=False).measure()
    assert [part.split()[0] for part in measured.reason.split(", and ")] == ["only", "other", "p90"]


@pytest.mark.skipif(
    machine_load.read_usage().everyone is None, reason="this system does not report its load"
)
def test_a_real_second_process_on_all_cores_is_invalid():
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    numbers = count()
    try:
        measured = latency.measure_latency(
            lambda: sum(range(50_000 + next(numbers) % 2)),
            find_instruments("cpu"),
            batch=1,
            decoded=False,
        )
    finally:
        for process in spinning:
            process.kill()
            process.wait()
    assert not measured.valid
    assert "other processes used" in measured.reason
    assert len(measured.milliseconds) >= latency.MIN_SAMPLES
