"""The hardware that this process measures on."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.trials.provenance import cpu_model

if TYPE_CHECKING:
    from bench.config.recipe import Resources

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
    """

    device: str
    name: str
    threads: int
    cores: int

    @property
    def line(self) -> str:
        """A line for people; profiles of the same line are comparable."""
        return f"{self.name}, {self.threads} of {self.cores} cores"


def find_hardware(resources: Resources) -> Hardware:
    """Return the GPU that this process sees, where `resources` allow one, else the CPU.

    Raises:
        BenchError: `resources` demand a GPU and this process sees none.
    """
    gpu = None if resources.device == "cpu" else _gpu()
    if resources.device == "cuda" and gpu is None:
        raise BenchError(
            'the suite sets device = "cuda", but this process sees no GPU; '
            'profile it where there is one, or set device = "auto"'
        )
    return Hardware(
        device="cuda" if gpu else "cpu",
        name=gpu or cpu_model(),
        threads=resources.cpus,
        cores=os.cpu_count() or 1,
    )


def _gpu() -> str | None:
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
