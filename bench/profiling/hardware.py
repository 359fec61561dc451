"""The hardware that a process measures on."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.trials.provenance import cpu_model

if TYPE_CHECKING:
    from bench.config.recipe import Resources
    from bench.trials.gpu import Nvml

_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Without one of these devices no GPU is usable, and torch need not be imported to ask."""


@dataclass(frozen=True)
class Hardware:
    """What latencies hold for.

    Attributes:
        device: "cpu" or "cuda".
        name: The name of the GPU or of the processor.
        threads: Compute threads on the CPU.
        cores: Cores of the machine.
        driver: The version of the GPU's driver; None on a CPU, as the next two are.
        cuda: The version of CUDA that torch was built with.
        power_limit: The GPU's enforced power limit in watts.
    """

    device: str
    name: str
    threads: int
    cores: int
    driver: str | None = None
    cuda: str | None = None
    power_limit: int | None = None

    @property
    def line(self) -> str:
        """A line for people; profiles of the same line are comparable."""
        parts = [
            self.name,
            *([f"driver {self.driver}"] if self.driver else []),
            *([f"CUDA {self.cuda}"] if self.cuda else []),
            *([f"{self.power_limit} W"] if self.power_limit else []),
            f"{self.threads} of {self.cores} cores",
        ]
        return ", ".join(parts)

    def spec(self) -> dict[str, Any]:
        """Return what the hardware adds to a profile's key: what is known of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def find_hardware(resources: Resources, nvml: Nvml | None = None) -> Hardware:
    """Return the GPU that this process sees, where `resources` allow one, else the CPU.

    Args:
        resources: Their device, and the compute threads.
        nvml: The functions of NVML; None loads them where there is a GPU.

    Raises:
        BenchError: `resources` demand a GPU and this process sees none.
    """
    threads, cores = resources.cpus, os.cpu_count() or 1
    if resources.device != "cpu" and _sees_gpu():
        from bench.training.accelerator import describe_device, find_gpu

        device, gpu = describe_device("cuda", nvml), find_gpu(nvml)
        return Hardware(
            device="cuda",
            name=device.gpu or "GPU",
            threads=threads,
            cores=cores,
            driver=device.driver,
            cuda=device.cuda,
            power_limit=gpu.power_limit if gpu else None,
        )
    if resources.device == "cuda":
        raise BenchError(
            'the suite sets device = "cuda", but this process sees no GPU; '
            'profile it where there is one, or set device = "auto"'
        )
    return Hardware(device="cpu", name=cpu_model(), threads=threads, cores=cores)


def _sees_gpu() -> bool:
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    import torch

    return torch.cuda.is_available()
