"""The device of this process: its description in records, and its peak memory."""

from __future__ import annotations

import torch

from bench.trials.gpu import Gpu, Nvml, open_gpu
from bench.trials.provenance import Device

_CUDNN_9 = 90000


def describe_device(name: str, nvml: Nvml | None = None) -> Device:
    """Return the description of a device of this process for records.

    Args:
        name: "cpu" or "cuda".
        nvml: The functions of NVML; None loads them.
    """
    if name != "cuda":
        return Device(name)
    gpu = find_gpu(nvml)
    return Device(
        name,
        gpu=device_name(name),
        driver=gpu.driver if gpu else None,
        cuda=torch.version.cuda,
        cudnn=cudnn_version(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
    )


def device_name(device: str) -> str:
    """Return "cpu", or the name of the GPU of this process."""
    return torch.cuda.get_device_name() if device == "cuda" else device


def find_gpu(nvml: Nvml | None = None) -> Gpu | None:
    """Return the current CUDA device as NVML describes it; None if NVML does not know it."""
    return open_gpu(str(torch.cuda.get_device_properties().uuid), nvml)


def cudnn_version(number: int | None) -> str | None:
    """Return the version of cuDNN as text: 91002 is 9.10.2, and 8907 is 8.9.7."""
    if number is None:
        return None
    major, rest = divmod(number, 10_000 if number >= _CUDNN_9 else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def reset_peak_memory(device: str) -> None:
    """Start to measure the peak of `peak_memory` again."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_memory(device: str) -> int | None:
    """Return the largest memory in bytes that tensors of this process took on the device at once.

    It includes neither the cache of torch's allocator, nor the CUDA context, nor workspaces that
    libraries allocate by themselves.

    Returns:
        Bytes since `reset_peak_memory`, or since the start of the process; None on a CPU, where the
        memory of tensors cannot be separated from other memory.
    """
    return torch.cuda.max_memory_allocated() if device == "cuda" else None
