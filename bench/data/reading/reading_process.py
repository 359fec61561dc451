"""The worker process that reads batches for a `WorkerPool`."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from bench.core.raised_at import keep_raised_at
from bench.core.types import Batch
from bench.data.reading.shared_bytes import SharedBytes

if TYPE_CHECKING:
    from bench.core.types import EpochBatches


class Answer(NamedTuple):
    """The answer of a worker process to a request for one batch.

    Attributes:
        number: The number of the epoch.
        batch_index: The index of the batch.
        slot: The number of the shared memory block that has the inputs.
        content: The batch without inputs and with arrays instead of tensors, or the exception that
            reading it raised.
        layout: The dtype, the shape and the strides of the inputs.
        memory: A new memory block of the slot, where the former was too small.
    """

    number: int
    batch_index: int
    slot: int
    content: Batch | Exception
    layout: tuple[torch.dtype, tuple[int, ...], tuple[int, ...]]
    memory: SharedBytes | None = None

    def batch(self, memory: Mapping[int, SharedBytes]) -> Batch:
        """Return the batch with its inputs in shared memory. Raises the exception of the worker."""
        if isinstance(self.content, Exception):
            raise self.content
        _, *others = self.content
        tensors = [
            torch.from_numpy(each) if isinstance(each, np.ndarray) else each for each in others
        ]
        return Batch._make([_strided_view(memory[self.slot], *self.layout), *tensors])


class BatchServer:
    """The epochs and the shared memory of a worker process; its methods are the requests."""

    def __init__(self) -> None:
        self._shared: dict[int, Any] = {}
        self._epochs: dict[int, bytes | EpochBatches] = {}
        self._slots: dict[int, SharedBytes] = {}

    def keep(self, number: int, content: Any) -> None:  # noqa: ANN401 (any object is kept)
        """Keep an object that epochs refer to."""
        self._shared[number] = content

    def open(self, number: int, content: bytes) -> None:
        """Add an epoch, which is unpickled when its first batch is read."""
        self._epochs[number] = content

    def forget(self, number: int) -> None:
        """Drop an epoch that has ended."""
        del self._epochs[number]

    def read(self, number: int, index: int, slot: int) -> Answer:
        """Read a batch; its inputs are written to the memory of a slot."""
        try:
            return self._answer(number, index, slot)
        except Exception as error:  # noqa: BLE001 (raised in the process that requested the batch)
            return Answer(number, index, slot, _sendable_error(error), (torch.uint8, (), ()))

    def _answer(self, number: int, index: int, slot: int) -> Answer:
        batches = self._epochs[number]
        if isinstance(batches, bytes):
            batches = self._epochs[number] = _Unpickler(batches, self._shared).load()
        inputs, *others = batches[index]
        # Dense strides that keep the memory order of the dimensions.
        strides = torch.empty_like(inputs, device="meta").stride()
        layout = inputs.dtype, tuple(inputs.shape), strides
        memory, added = self._slots.get(slot), None
        if memory is None or len(memory) < inputs.nbytes:
            memory = added = self._slots[slot] = SharedBytes(
                1 << max(inputs.nbytes, 1).bit_length()
            )
        _strided_view(memory, *layout).copy_(inputs)
        # Arrays are sent within the message; each tensor would be a shared file of its own.
        arrays = [each.numpy() if isinstance(each, torch.Tensor) else each for each in others]
        return Answer(number, index, slot, Batch._make([None, *arrays]), layout, added)


def serve_batches(connection: Connection) -> None:
    """Answer requests on `connection` until it is closed."""
    # Ctrl-C ends the requesting process, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Exit instead of dying by the signal, to remove the socket that shares memory.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _end_with_parent()
    torch.set_num_threads(1)
    server = BatchServer()
    try:
        while True:
            request, *arguments = connection.recv()
            answer = getattr(server, request)(*arguments)
            if answer is not None:
                connection.send(answer)
    except (EOFError, OSError):
        return


class _Unpickler(pickle.Unpickler):
    """Unpickles an epoch that refers to shared objects by number."""

    def __init__(self, content: bytes, shared: dict[int, Any]) -> None:
        super().__init__(io.BytesIO(content))
        self._shared = shared

    def persistent_load(self, number: Any) -> Any:  # noqa: ANN401 (any object is kept)
        return self._shared[number]


def _strided_view(
    memory: SharedBytes, dtype: torch.dtype, shape: Sequence[int], strides: Sequence[int]
) -> torch.Tensor:
    size = len(memory) - len(memory) % dtype.itemsize
    return memory.content[:size].view(dtype).as_strided(shape, strides)


def _sendable_error(error: Exception) -> Exception:
    """Return an exception that can be pickled, with its stack trace as a note."""
    error.add_note("".join(traceback.format_exception(error)))
    keep_raised_at(error)
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (it was made here)
    except Exception:  # noqa: BLE001 (unknown exceptions may raise anything when pickled)
        return RuntimeError("".join(traceback.format_exception(error)))
    return error.with_traceback(None)


def _end_with_parent() -> None:
    """End this process when its parent is killed, even during a read."""
    parent = multiprocessing.parent_process()
    assert parent, "a worker process has a parent"  # noqa: S101

    def exit_after_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=exit_after_parent, daemon=True).start()
