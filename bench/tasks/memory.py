"""Detection of out-of-memory errors in all forms in which libraries report them."""

from __future__ import annotations

import errno
import re
from pathlib import Path

_MESSAGES = re.compile(
    # CUDA, NCCL and NVML, whose errors are a torch.AcceleratorError or a RuntimeError.
    r"out of memory"
    # CUDNN_STATUS_ALLOC_FAILED, CUBLAS_…, CUSOLVER_…, CURAND_STATUS_ALLOCATION_FAILED, CUFFT_…,
    # CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED: workspaces and handles.
    r"|\bCU[A-Z]+_\w*ALLOC(?:ATION)?_FAILED\b"
    # torch on the CPU: "DefaultCPUAllocator: can't allocate memory", "… not enough memory".
    r"|DefaultCPUAllocator"
    # mmap and shared memory; lmdb.
    r"|Cannot allocate memory"
    # OpenCV: "error: (-4:Insufficient memory) Failed to allocate 8589934592 bytes".
    r"|Insufficient memory"
    r"|std::bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error`, or an error that caused it, is an out-of-memory error."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if _MESSAGES.search(str(error)):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def out_of_memory_kills(root: Path = Path("/")) -> int:
    """Return how many processes the kernel's out-of-memory killer has ended; 0 where unknown.

    Args:
        root: Where /proc and /sys are.
    """
    # Those of this process's control group, such as a container, else of the whole machine.
    for file in (*_group_files(root), root / "proc/vmstat"):
        try:
            lines = file.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.isdecimal():
                return int(count)
    return 0


def _group_files(root: Path) -> list[Path]:
    """Return the files that may count for the control group of this process: version 2, then 1."""
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    files = []
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if not controllers:
            files.append(root / "sys/fs/cgroup" / path.strip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            folder = root / "sys/fs/cgroup/memory"
            files += [folder / path.strip("/") / "memory.oom_control"]
    return files
