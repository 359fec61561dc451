"""The machine that a task runs on: its device, its threads, its memory."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.config.recipe import Precision, Resources

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt(3)
_NEVER = 2**31 - 1
_GPU_PRECISIONS = {"fp16": "bf16", "tf32": "float32"}
"""Precisions that require a GPU, and what comes next to each of them without one."""


def prepare(resources: Resources, precision: Precision = "float32") -> str:
    """Configure this process for a task; return the name of its device.

    Args:
        resources: The threads and the device.
        precision: What a network computes in; evaluations always compute in float32.

    Raises:
        BenchError: The machine lacks what the task requires.
    """
    configure_torch(resources.cpus, precision)
    if resources.device == "cuda" and not torch.cuda.is_available():
        raise BenchError(
            'the suite sets device = "cuda", but this task was given no GPU; '
            'set gpus in [suite.….resources], or device = "auto"'
        )
    device = "cuda" if resources.device != "cpu" and torch.cuda.is_available() else "cpu"
    if device == "cpu" and precision in _GPU_PRECISIONS:
        raise BenchError(
            f'the recipe sets precision = "{precision}", which requires a GPU, and this training '
            f"runs on the CPU; give it a GPU, or set precision = "
            f'"{_GPU_PRECISIONS[precision]}"'
        )
    return device


def count_workers(resources: Resources, device: str) -> int:
    """Return the number of processes that prefetch batches of a task on this machine.

    Args:
        resources: The resources of the task, in which a cluster has already replaced `auto`.
        device: The device of the task. GPUs share all cores that this process has.
    """
    cores = 0 if device == "cpu" else len(os.sched_getaffinity(0)) / resources.devices
    return resources.count_workers(cores)


def configure_torch(threads: int, precision: Precision = "float32") -> None:
    """Let torch compute with so many threads, deterministically, and in `precision`."""
    # cuBLAS is deterministic only with a fixed workspace, which it reads when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Filling uninitialized memory takes time, and nothing here reads it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # torch's own default is TF32 in convolutions and LSTMs on a GPU, and not in matrix products.
    _allow_tf32(allowed=precision == "tf32")


@contextmanager
def configured_torch(threads: int) -> Iterator[None]:
    """Configure torch as `configure_torch` does in a `with` block, and restore it after that."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    with strict_float32():
        configure_torch(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(mode=before[1], warn_only=warns)


def _allow_tf32(*, allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


@contextmanager
def strict_float32() -> Iterator[None]:
    """Compute without TF32 in a `with` block, as evaluations do, also in a training with TF32."""
    before = torch.backends.cudnn.allow_tf32
    _allow_tf32(allowed=False)
    try:
        yield
    finally:
        _allow_tf32(allowed=before)


def seed_generators(seed: int, device: str) -> None:
    """Seed torch's global generators of the CPU and, for "cuda", of the current GPU.

    `torch.manual_seed` does the same for all devices and takes 50 times as long.
    """
    torch.default_generator.manual_seed(seed)
    if device == "cuda":
        torch.cuda.default_generators[torch.cuda.current_device()].manual_seed(seed)


def keep_freed_memory() -> None:
    """Make glibc keep freed memory, because each training step allocates the same sizes again.

    Otherwise the kernel zeroes and maps new pages for every large tensor. It cannot be undone, so
    call it only in processes that train and do nothing else.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
