"""What a process does that reads batches for another one."""

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
    """What a process says of one batch.

    Attributes:
        number: The pass.
        place: The index of the batch.
        slot: The memory that the inputs are in.
        content: The batch without inputs and with arrays for tensors, or what reading it raised.
        layout: The type, the shape and the strides of the inputs.
        memory: New memory of the slot, where the former was too small.
    """

    number: int
    place: int
    slot: int
    content: Batch | Exception
    layout: tuple[torch.dtype, tuple[int, ...], tuple[int, ...]]
    memory: SharedBytes | None = None

    def batch(self, memory: Mapping[int, SharedBytes]) -> Batch:
        """Return the batch, its inputs in the memory of its slot. Raises what reading it raised."""
        if isinstance(self.content, Exception):
            raise self.content
        _, *others = self.content
        tensors = [
            torch.from_numpy(each) if isinstance(each, np.ndarray) else each for each in others
        ]
        return Batch._make([_laid_out(memory[self.slot], *self.layout), *tensors])


class BatchServer:
    """The passes and the memory of a process that reads; its methods are the requests."""

    def __init__(self) -> None:
        self._kept: dict[int, Any] = {}
        self._passes: dict[int, bytes | EpochBatches] = {}
        self._slots: dict[int, SharedBytes] = {}

    def keep(self, number: int, content: Any) -> None:  # noqa: ANN401 (any object is kept)
        """Keep an object that passes refer to."""
        self._kept[number] = content

    def open(self, number: int, content: bytes) -> None:
        """Take a pass, which is unpickled when its first batch is read."""
        self._passes[number] = content

    def forget(self, number: int) -> None:
        """Drop a pass that has ended."""
        del self._passes[number]

    def read(self, number: int, index: int, slot: int) -> Answer:
        """Read a batch, its inputs into the memory of a slot."""
        try:
            return self._answer(number, index, slot)
        except Exception as error:  # noqa: BLE001 (whoever asked for the batch raises it)
            return Answer(number, index, slot, _portable(error), (torch.uint8, (), ()))

    def _answer(self, number: int, index: int, slot: int) -> Answer:
        batches = self._passes[number]
        if isinstance(batches, bytes):
            batches = self._passes[number] = _Unpickler(batches, self._kept).load()
        inputs, *others = batches[index]
        # Dense, in the order of dimensions that the inputs have in memory.
        strides = torch.empty_like(inputs, device="meta").stride()
        layout = inputs.dtype, tuple(inputs.shape), strides
        memory, added = self._slots.get(slot), None
        if memory is None or len(memory) < inputs.nbytes:
            memory = added = self._slots[slot] = SharedBytes(
                1 << max(inputs.nbytes, 1).bit_length()
            )
        _laid_out(memory, *layout).copy_(inputs)
        # Arrays go along with the message; a tensor would be a shared file of its own.
        arrays = [each.numpy() if isinstance(each, torch.Tensor) else each for each in others]
        return Answer(number, index, slot, Batch._make([None, *arrays]), layout, added)


def serve_batches(connection: Connection) -> None:
    """Do what is requested through `connection`, until it is closed."""
    # Ctrl-C ends the process that asks, and with it this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An exit, unlike a kill, removes the socket through which memory is shared.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _end_with_parent()
    torch.set_num_threads(1)
    reader = BatchServer()
    try:
        while True:
            request, *arguments = connection.recv()
            answer = getattr(reader, request)(*arguments)
            if answer is not None:
                connection.send(answer)
    except (EOFError, OSError):
        return


class _Unpickler(pickle.Unpickler):
    """Loads a pass that refers to objects that are kept."""

    def __init__(self, content: bytes, kept: dict[int, Any]) -> None:
        super().__init__(io.BytesIO(content))
        self._kept = kept

    def persistent_load(self, number: Any) -> Any:  # noqa: ANN401 (any object is kept)
        return self._kept[number]


def _laid_out(
    memory: SharedBytes, dtype: torch.dtype, shape: Sequence[int], strides: Sequence[int]
) -> torch.Tensor:
    size = len(memory) - len(memory) % dtype.itemsize
    return memory.content[:size].view(dtype).as_strided(shape, strides)


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent, with its stack trace as a note."""
    error.add_note("".join(traceback.format_exception(error)))
    keep_raised_at(error)
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (it was made here)
    except Exception:  # noqa: BLE001 (whatever an unknown error does when it is copied)
        return RuntimeError("".join(traceback.format_exception(error)))
    return error.with_traceback(None)


def _end_with_parent() -> None:
    """Let this process end where its parent is killed, also in the midst of reading."""
    parent = multiprocessing.parent_process()
    assert parent, "a process that reads has been started by another"  # noqa: S101

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
