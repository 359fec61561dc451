"""The device that this process computes on: what records say of it, and its peak memory."""

from __future__ import annotations

import torch

from bench.trials.gpu import Gpu, Nvml, open_gpu
from bench.trials.provenance import Device

_CUDNN_9 = 90000


def describe_device(name: str, nvml: Nvml | None = None) -> Device:
    """Return what a record says of the device `name` of this process.

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
    """Return the current CUDA device as its driver describes it; None where it does not."""
    return open_gpu(str(torch.cuda.get_device_properties().uuid), nvml)


def cudnn_version(number: int | None) -> str | None:
    """Return the version of cuDNN as people write it: 91002 is 9.10.2, and 8907 is 8.9.7."""
    if number is None:
        return None
    major, rest = divmod(number, 10_000 if number >= _CUDNN_9 else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def reset_peak_memory(device: str) -> None:
    """Count the peak of `peak_memory` from now on."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_memory(device: str) -> int | None:
    """Return the most bytes that tensors of this process have taken on the device at once.

    It counts what torch's allocator has given out, not its cache, nor the context of CUDA, nor the
    workspaces of libraries that allocate by themselves.

    Returns:
        Bytes since `reset_peak_memory`, or since the process began; None on a CPU, where the memory
        of tensors is not told apart from that of everything else.
    """
    return torch.cuda.max_memory_allocated() if device == "cuda" else None
