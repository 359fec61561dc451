"""The machine that a task runs on: its device, its threads, its memory."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

import torch

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.config.recipe import Precision, Resources

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt(3)
_NEVER = 2**31 - 1


def prepare(resources: Resources, precision: Precision = "float32") -> str:
    """Settle this process for a task; return the name of its device.

    Raises:
        BenchError: The machine lacks what the task requires.
    """
    settle(resources.cpus)
    if resources.device == "cuda" and not torch.cuda.is_available():
        raise BenchError(
            'the suite sets device = "cuda", but this task was given no GPU; '
            'set gpus in [suite.….resources], or device = "auto"'
        )
    device = "cuda" if resources.device != "cpu" and torch.cuda.is_available() else "cpu"
    if device == "cpu" and precision == "fp16":
        raise BenchError(
            'the recipe sets precision = "fp16", which requires a GPU, and this training runs on '
            'the CPU; give it a GPU, or set precision = "bf16"'
        )
    return device


def settle(threads: int) -> None:
    """Have this process compute with so many threads, and deterministically."""
    # cuBLAS is deterministic only with a fixed workspace, which it reads when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Nothing here reads memory that it has not written, and filling it takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def keep_freed_memory() -> None:
    """Have glibc keep what this process frees: a step of training wants it again at the next one.

    Otherwise every large tensor is new pages of the kernel, zeroed and mapped one by one. It cannot
    be taken back, so it is for processes that train and do nothing else.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
