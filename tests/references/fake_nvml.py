"""NVML without a driver: the functions of pynvml that bench calls, over a GPU made by hand."""

from __future__ import annotations


class NvmlError(Exception):
    """What each function raises where the GPU or its driver has no answer."""


class FakeNvml:
    """A driver with one GPU.

    Set its attributes to change the GPU; None is a question that the driver does not answer.
    """

    NVML_CLOCK_SM = 1
    NVMLError = NvmlError

    def __init__(self, uuid="GPU-1234"):
        self.uuid = uuid
        self.driver = "580.65.06"
        self.power_limit = 700_000
        self.reasons = 0
        self.processes = [object()]
        self.clocks = iter([])
        self.clock = 1980
        self.starts = True

    def nvmlInit(self):
        self._answer(self.starts or None)

    def nvmlSystemGetDriverVersion(self):
        return self._answer(self.driver)

    def nvmlDeviceGetHandleByUUID(self, uuid):
        return self._answer(uuid if uuid == self.uuid else None)

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle):
        return self._answer(f"GPU of {handle}" if handle.startswith("MIG") else None)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle):
        return self._answer(self.power_limit)

    def nvmlDeviceGetClockInfo(self, handle, kind):
        assert kind == self.NVML_CLOCK_SM
        return self._answer(next(self.clocks, self.clock))

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle):
        return self._answer(self.reasons)

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return self._answer(self.processes)

    def _answer(self, value):
        if value is None:
            raise NvmlError
        return value
