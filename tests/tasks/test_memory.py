"""What counts as a want of memory, as libraries report it."""

from __future__ import annotations

import errno
import resource
from multiprocessing import get_context

import pytest
import torch

from bench.tasks.memory import is_out_of_memory, out_of_memory_kills

EXHAUSTED = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be …"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling …"),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"
    ),
    RuntimeError("unable to mmap 8589934592 bytes from file </x>: Cannot allocate memory (12)"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    MemoryError(),
]
OTHERS = [
    torch.AcceleratorError("CUDA error: device-side assert triggered"),
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("the disk is on fire"),
]


@pytest.mark.parametrize("error", EXHAUSTED, ids=str)
def test_an_out_of_memory_error_is_recognized(error):
    assert is_out_of_memory(error)
    wrapped = RuntimeError("this layer failed")
    wrapped.__cause__ = error
    assert is_out_of_memory(wrapped)


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_other_faults_are_none(error):
    assert not is_out_of_memory(error)


def _exhaust(answers):
    resource.setrlimit(resource.RLIMIT_AS, (2**36, 2**36))
    import cv2
    import numpy as np

    calls = {
        "torch": lambda: torch.empty(2**40),
        "numpy": lambda: np.empty(2**40),
        "opencv": lambda: cv2.resize(np.zeros((1, 1), np.float64), (2**20, 2**20)),
        "python": lambda: bytearray(2**40),
    }
    for name, call in calls.items():
        try:
            call()
        except Exception as error:  # noqa: BLE001
            answers.put((name, is_out_of_memory(error), f"{type(error).__name__}: {error}"))


def test_what_libraries_raise_without_memory_is_recognized():
    context = get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_exhaust, args=(answers,))
    process.start()
    for name in ("torch", "numpy", "opencv", "python"):
        assert answers.get()[:2] == (name, True)
    process.join()


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        ({}, 0),
        ({"proc/vmstat": "pgfault 3\noom_kill 5\n"}, 5),
        (
            {
                "proc/self/cgroup": "0::/user/bench\n",
                "sys/fs/cgroup/user/bench/memory.events": "oom 4\noom_kill 2\noom_group_kill 0\n",
                "proc/vmstat": "oom_kill 5\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "9:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/\n",
                "sys/fs/cgroup/memory/a/memory.oom_control": "under_oom 0\noom_kill 3\n",
            },
            3,
        ),
        ({"proc/self/cgroup": "0::/\n", "proc/vmstat": "oom_kill 5\n"}, 5),
    ],
    ids=["unknown", "machine", "version 2", "version 1", "root"],
)
def test_the_kernel_counts_what_it_kills(tmp_path, files, kills):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert out_of_memory_kills(tmp_path) == kills


def test_the_kernel_of_this_machine_is_asked():
    assert out_of_memory_kills() >= 0
