"""The state of a GPU by NVML: its processes, its clock, and reasons for a reduced clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_MILLIWATTS = 1000
_SLOWDOWNS = {
    0x08: "hardware slowdown",
    0x10: "the clock of another GPU",
    0x20: "software thermal limit",
    0x40: "hardware thermal limit",
    0x80: "power brake",
}
"""Bits of NVML's clock event reasons that disturb a measurement.

An idle GPU (0x01), clocks that an administrator has set (0x02, 0x100) and the power limit (0x04),
which is part of the hardware that a profile names, are normal and not among them.
"""


class Nvml(Protocol):
    """The functions of `pynvml` (package nvidia-ml-py) that bench calls."""

    NVML_CLOCK_SM: int
    NVMLError: type[Exception]

    def nvmlInit(self) -> object: ...  # noqa: D102
    def nvmlSystemGetDriverVersion(self) -> str: ...  # noqa: D102
    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any: ...  # noqa: ANN401, D102
    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: Any) -> Any: ...  # noqa: ANN401, D102
    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any) -> int: ...  # noqa: ANN401, D102
    def nvmlDeviceGetClockInfo(self, handle: Any, kind: int) -> int: ...  # noqa: ANN401, D102
    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any) -> int: ...  # noqa: ANN401, D102
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> Sequence[Any]: ...  # noqa: ANN401, D102


@dataclass(frozen=True)
class GpuState:
    """The state of a GPU at one moment; None for values that the driver does not report.

    Attributes:
        clock: The clock of its multiprocessors (SM) in MHz.
        slowdowns: Reasons for a reduced clock, other than its power limit.
        others: The number of other processes that have the GPU open for computing, including those
            of other MIG instances of the GPU.
    """

    clock: int | None
    slowdowns: tuple[str, ...]
    others: int | None


class Gpu:
    """A GPU of this process.

    Attributes:
        driver: The version of the driver.
        power_limit: The enforced power limit in watts.
        mig: Whether it is a MIG instance of a GPU.
    """

    def __init__(self, nvml: Nvml, handle: Any, *, mig: bool) -> None:  # noqa: ANN401 (NVML's own)
        self._nvml = nvml
        self._handle = handle
        self.mig = mig
        self.driver = self._query(nvml.nvmlSystemGetDriverVersion)
        limit = self._query(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
        self.power_limit = None if limit is None else round(limit / _MILLIWATTS)

    def state(self) -> GpuState:
        """Return its current state; this process has to have it open for computing."""
        nvml, handle = self._nvml, self._handle
        reasons = self._query(lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)) or 0
        processes = self._query(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
        return GpuState(
            clock=self._query(lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            slowdowns=tuple(name for bit, name in _SLOWDOWNS.items() if reasons & bit),
            # In a container, process ids differ from the driver's: one of them is this process.
            others=None if processes is None else max(0, len(processes) - 1),
        )

    def _query(self, query: Callable[[], T]) -> T | None:
        """Return the answer, or None if this GPU or its driver does not support the query."""
        try:
            return query()
        except self._nvml.NVMLError:
            return None


def open_gpu(uuid: str, nvml: Nvml | None = None) -> Gpu | None:
    """Return the GPU with this UUID, or None if NVML is missing or does not know it.

    Args:
        uuid: The UUID of a GPU or of a MIG instance as CUDA reports it, without NVML's prefix.
        nvml: The functions of NVML; None loads them.
    """
    nvml = nvml or _load()
    if nvml is None:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    for prefix in ("GPU", "MIG"):
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(f"{prefix}-{uuid}")
            if prefix == "MIG":
                handle = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
        except nvml.NVMLError:
            continue
        return Gpu(nvml, handle, mig=prefix == "MIG")
    return None


def _load() -> Nvml | None:
    try:
        import pynvml
    except ImportError:
        return None
    loaded: Nvml = pynvml
    return loaded
