"""A block of memory that several processes read and write."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from multiprocessing.reduction import DupFd
from typing import Any

import torch


class SharedBytes:
    """A block of memory that is shared with, not copied to, a process that it is sent to.

    It is an anonymous file: a page takes memory once it is written, the system frees all pages with
    the last process that maps them, and the size of /dev/shm does not limit them. A pickle of it
    passes one file descriptor, so it can be loaded only once, while the sending process runs.

    Attributes:
        content: The bytes (size,) as a uint8 tensor, initially 0.
    """

    def __init__(self, size: int, file: int | None = None) -> None:
        """Map `size` bytes of a new file, or of the descriptor `file`, which is then owned."""
        if file is None:
            file = _anonymous_file()
            os.ftruncate(file, size)
        self._file = file
        weakref.finalize(self, os.close, file)
        self.content = torch.frombuffer(mmap.mmap(file, size), dtype=torch.uint8)

    def __len__(self) -> int:
        """Return the number of bytes."""
        return len(self.content)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the file descriptor instead of the bytes."""
        return _received, (len(self), DupFd(self._file))


def _received(size: int, file: Any) -> SharedBytes:  # noqa: ANN401 (a type without a public name)
    return SharedBytes(size, file.detach())


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("bench")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
