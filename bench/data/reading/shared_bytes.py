"""Memory that several processes read and write."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from multiprocessing.reduction import DupFd
from typing import Any

import torch


class SharedBytes:
    """A block of memory that is shared, and not copied, with a process that it is sent to.

    It is a file without a name: pages take memory once they are written, the system frees them with
    the last process that has them, and the size of /dev/shm does not limit them. As a pickle of it
    passes one file descriptor, it can be loaded once only, while this process lives.

    Attributes:
        content: The bytes (size,) as a tensor of uint8, at first all 0.
    """

    def __init__(self, size: int, file: int | None = None) -> None:
        """Map `size` bytes of a new file, or of the descriptor `file`, which is owned then."""
        if file is None:
            file = _nameless_file()
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


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("bench")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
