"""Batches read ahead, by other processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import warnings
from collections.abc import Generator, Iterator
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from bench.core.errors import BenchError
from bench.core.types import Batch

if TYPE_CHECKING:
    from bench.core.types import Batches

T = TypeVar("T")


def read(batches: Batches, workers: int, first: int = 0) -> Generator[Batch, None, None]:
    """Yield the batches in order from number `first` on, prefetched by `workers` processes.

    Without workers, this process reads each batch as it is asked for.

    The batches are the same, and no random generator of this process is touched. Raises the
    BenchError that reading a batch raises, and one where a process that reads has ended.
    """
    workers = min(workers, len(batches))
    if not workers:
        yield from map(batches.__getitem__, range(first, len(batches)))
        return
    for found in _heard(batches, workers, first):
        if isinstance(found, BenchError):
            raise found
        yield _unpacked(found)


_Packed = tuple[Any, ...]


class _Answering(Dataset[_Packed | BenchError]):
    """Batches, where one that cannot be read is what was to be said of it.

    A DataLoader would make another error of it, with the worker's stack for a message.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> _Packed | BenchError:
        try:
            return _packed(self._batches[index])
        except BenchError as error:
            return error


def _packed(batch: Batch) -> _Packed:
    """Return the fields of a batch, with arrays for all tensors but the inputs.

    Arrays go along with the message. Every tensor is a shared file that the other process has to
    ask this one for: small ones take longer to ask for than to copy.
    """
    inputs, *others = batch
    return inputs, *(one.numpy() if isinstance(one, torch.Tensor) else one for one in others)


def _unpacked(fields: _Packed) -> Batch:
    tensors = (torch.from_numpy(one) if isinstance(one, np.ndarray) else one for one in fields)
    return Batch._make(tensors)


def _heard(batches: Batches, workers: int, first: int) -> Iterator[_Packed | BenchError]:
    """Yield what the workers answer; say in a sentence that no more will come.

    No frame but torch's own holds the answers, and no error holds those: the workers end with this
    generator, and not when garbage is collected, which may be while others are being started.
    """
    try:
        yield from _answers(batches, workers, first)
    except Exception as error:
        error.__traceback__ = None
        if "DataLoader worker (pid" not in str(error):
            raise
        raise BenchError(
            "a process that reads batches ahead has ended, most often for want of memory or of "
            "room in /dev/shm; lower workers in the suite's resources, or set it to 0"
        ) from error


def _answers(batches: Batches, workers: int, first: int) -> Iterator[_Packed | BenchError]:
    with warnings.catch_warnings():
        # More workers than cores are the suite's choice: they may wait for a disk.
        warnings.filterwarnings("ignore", "This DataLoader will create")
        return iter(
            DataLoader(
                _Answering(batches),
                batch_size=None,
                sampler=range(first, len(batches)),
                num_workers=workers,
                collate_fn=_unchanged,
                multiprocessing_context=_context(batches),
                worker_init_fn=_end_with_parent,
                # Else a seed for the workers is drawn from torch's own.
                generator=torch.Generator(),
            )
        )


def _unchanged(found: T) -> T:
    return found


def _end_with_parent(_worker: int) -> None:
    """Let this worker end where its parent is killed, and then their server too.

    torch looks whether the server lives, which lives as long as its workers.
    """
    parent = multiprocessing.parent_process()
    assert parent, "a worker has been started by a process"  # noqa: S101

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _context(batches: Batches) -> BaseContext:
    """Return how workers are started.

    Not by a fork of this process, which has threads and perhaps a GPU, but of a server without
    either, which imports once what every worker needs and is slow to come: torch, the modules of
    data, pandas, which pyarrow asks for with its first value, and ray in a worker of Ray, whose
    main module wants it.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: Any = multiprocessing.get_context("forkserver")
    data = [name for name in sys.modules if name.startswith("bench.data.")]
    others = {"pandas", "ray"} & sys.modules.keys()
    context.set_forkserver_preload([type(batches).__module__, *data, *others])
    found: BaseContext = context
    return found
