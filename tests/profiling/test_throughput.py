"""The batch size that fills a device, simulated and on this CPU."""

from __future__ import annotations

import pytest
import torch

from bench.profiling import throughput
from bench.profiling.instruments import Instruments, find_instruments
from bench.profiling.machine_load import Usage
from bench.profiling.throughput import measure_throughput


class Device:
    """A device that reads `fills` samples in the time of one, with its own clock."""

    error = torch.OutOfMemoryError()

    def __init__(self, fills, *, sample_bytes=0, memory=None, out_of_memory_at=None, quiet=True):
        self.fills = fills
        self.sample_bytes = sample_bytes
        self.out_of_memory_at = out_of_memory_at
        self.now = self.pending = 0.0
        self.peak = 0
        self.held = 0
        self.quiet = quiet
        self.instruments = Instruments(
            clock=lambda: self.now,
            synchronize=self.wait,
            usage=self.usage,
            reset_memory=self.reset,
            peak_memory=lambda: self.peak,
            memory=memory,
            warm_up_seconds=0.5,
        )

    def reader(self, batch):
        if batch == self.out_of_memory_at:
            raise self.error

        def read():
            self.peak = max(self.peak, batch * self.sample_bytes)
            self.pending += max(batch, self.fills) / 1000

        return read

    def wait(self):
        self.now, self.pending = self.now + self.pending, 0.0

    def usage(self):
        return Usage(self.now, self.now, self.now if self.quiet else 2 * self.now, 2)

    def reset(self):
        self.peak = 0

    def measure(self):
        return measure_throughput(self.reader, self.instruments)


@pytest.mark.parametrize("fills", [32, 64, 256, 512])
def test_the_smallest_batch_that_fills_the_device_is_used(fills):
    measured = Device(fills).measure()
    assert measured.batch == fills
    assert measured.samples_per_second == pytest.approx(1000)
    assert [*measured.tried] == [str(32 * 2**n) for n in range((2 * fills // 32).bit_length())]
    assert measured.valid


def test_a_device_that_is_never_full_gets_the_largest_batch():
    measured = Device(10_000).measure()
    assert measured.batch == throughput.MAX_BATCH
    assert measured.samples_per_second == pytest.approx(100 * 1.024)


def test_a_batch_that_is_expected_not_to_fit_is_not_tried():
    measured = Device(10_000, sample_bytes=10, memory=3200).measure()
    assert [*measured.tried] == ["32", "64", "128", "256"]
    assert (measured.batch, measured.peak_memory) == (256, 2560)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["torch", "cuDNN"],
)
def test_after_running_out_of_memory_the_last_batch_that_fitted_is_used(error):
    device = Device(10_000, out_of_memory_at=256)
    device.error = error
    assert device.measure().batch == 128


def test_another_error_is_raised():
    device = Device(64, out_of_memory_at=64)
    device.error = RuntimeError("unspecified launch failure")
    with pytest.raises(RuntimeError, match="launch failure"):
        device.measure()


def test_if_no_batch_fits_there_is_no_throughput():
    assert Device(64, out_of_memory_at=32).measure() is None


def test_a_disturbed_throughput_is_invalid():
    measured = Device(64, quiet=False).measure()
    assert not measured.valid
    assert measured.reason == "other processes used 50% of the machine's CPU time (at most 10%)"


def test_a_real_network_has_a_throughput(monkeypatch):
    monkeypatch.setattr(throughput, "MIN_SECONDS", 0.01)
    network = torch.nn.Linear(8, 8)

    def reader(batch):
        inputs = torch.zeros(batch, 8)
        return lambda: network(inputs)

    measured = measure_throughput(reader, find_instruments("cpu"))
    assert str(measured.batch) in measured.tried
    assert measured.samples_per_second == measured.tried[str(measured.batch)] > 0
    assert measured.peak_memory is None
