"""The hardware on which a process measures."""

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
"""Without one of these devices there is no GPU, and the slow import of torch is avoided."""


@dataclass(frozen=True)
class Hardware:
    """The hardware for which a profile is valid.

    Attributes:
        device: "cpu" or "cuda".
        name: The name of the GPU or of the processor.
        threads: The number of compute threads on the CPU.
        cores: The number of CPU cores of the machine.
        driver: The version of the GPU driver; None on a CPU.
        cuda: The version of CUDA with which torch was built; None on a CPU.
        power_limit: The enforced power limit of the GPU in watts; None on a CPU or if unknown.
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
        """The hardware in one line; profiles with the same line are comparable."""
        parts = [
            self.name,
            *([f"driver {self.driver}"] if self.driver else []),
            *([f"CUDA {self.cuda}"] if self.cuda else []),
            *([f"{self.power_limit} W"] if self.power_limit else []),
            f"{self.threads} of {self.cores} cores",
        ]
        return ", ".join(parts)

    def spec(self) -> dict[str, Any]:
        """Return what the hardware adds to the key of a profile, without unknown values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def find_hardware(resources: Resources, nvml: Nvml | None = None) -> Hardware:
    """Return the GPU of this process if there is one and `resources` allow it, else the CPU.

    Args:
        resources: The device and the number of compute threads.
        nvml: The functions of NVML; None loads them if there is a GPU.

    Raises:
        BenchError: `resources` require a GPU, but this process has none.
    """
    threads, cores = resources.cpus, os.cpu_count() or 1
    if resources.device != "cpu" and _has_gpu():
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
            'the suite sets device = "cuda", but this process has no GPU; '
            'profile it on a machine with a GPU, or set device = "auto"'
        )
    return Hardware(device="cpu", name=cpu_model(), threads=threads, cores=cores)


def _has_gpu() -> bool:
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    import torch

    return torch.cuda.is_available()
