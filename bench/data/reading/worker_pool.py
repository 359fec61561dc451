"""Worker processes that prefetch batches, for one epoch after another."""

from __future__ import annotations

import io
import itertools
import multiprocessing
import os
import sys
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.core.short_folder import keep_sockets_short
from bench.data.reading.reading_process import Answer, serve_batches
from bench.data.reading.sent_once import SentOnce

if TYPE_CHECKING:
    from bench.core.types import Batch, EpochBatches
    from bench.data.reading.shared_bytes import SharedBytes

_EXIT_SECONDS = 2.0
"""How long a process may take to end; it first finishes the batch that it is reading."""
_PREFETCHED = 2
"""Batches of an epoch that each process prefetches."""


@dataclass
class _Worker:
    """One worker process.

    Attributes:
        connection: Sends requests to the process and receives its answers.
        requests: The number of requested batches that were not answered yet.
        epochs: The numbers of the epochs that the process has.
        shared: The numbers of the `SentOnce` objects that the process has.
        memory: The shared memory of each slot, to which the process writes inputs.
        idle: The slots that no epoch uses.
        new_slots: The numbers of slots that do not exist yet.
    """

    connection: Connection
    requests: int = 0
    epochs: set[int] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    memory: dict[int, SharedBytes] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    new_slots: Iterator[int] = field(default_factory=itertools.count)


@dataclass
class _Epoch:
    """An epoch that is being read.

    Attributes:
        number: The number of the epoch in its pool.
        batches: The batches of the epoch.
        pending: The indices of batches that were not requested yet.
        answers: The answers that were received and not yielded yet, by index.
    """

    number: int
    batches: EpochBatches
    pending: Iterator[int]
    answers: dict[int, tuple[_Worker, Answer]] = field(default_factory=dict)


class WorkerPool:
    """Worker processes that prefetch the batches of epochs, and run until `close`.

    Several epochs may be read at once, such as one of validation during one of training; prefetched
    batches of the first are kept. One thread at a time may use a pool.

    Args:
        count: The largest number of processes; no more are started than an epoch has batches.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: list[_Worker] = []
        self._processes: list[BaseProcess] = []
        self._epochs: dict[int, _Epoch] = {}
        self._numbers = itertools.count()
        self._shared: dict[int, tuple[int, SentOnce]] = {}
        weakref.finalize(self, _end, self._processes, os.getpid())

    def read(self, batches: EpochBatches, first: int = 0) -> Generator[Batch, None, None]:
        """Yield the batches of an epoch in order from index `first` on, with inputs as stored.

        Inputs are valid until the next batch is requested: their memory is then overwritten.

        Raises:
            BenchError: A batch cannot be read, or a worker process has ended.
        """
        indices = range(first, len(batches))
        self._start(min(self._count, len(indices)), batches)
        epoch = _Epoch(next(self._numbers), batches, iter(indices))
        self._epochs[epoch.number] = epoch
        yielded: tuple[_Worker, Answer] | None = None
        try:
            for _, worker in itertools.product(range(_PREFETCHED), [*self._workers]):
                slot = worker.idle.pop() if worker.idle else next(worker.new_slots)
                self._request(epoch, worker, slot)
            for index in indices:
                while index not in epoch.answers:
                    self._receive()
                worker, answer = yielded = epoch.answers.pop(index)
                yield answer.batch(worker.memory)
                yielded = None
                self._request(epoch, worker, answer.slot)
        finally:
            self._close_epoch(epoch, [*epoch.answers.values(), *([yielded] if yielded else [])])

    def close(self) -> None:
        """End the processes; the next epoch starts new ones."""
        for worker in self._workers:
            worker.connection.close()
        self._workers.clear()
        self._shared.clear()
        _end(self._processes, os.getpid())

    def _start(self, count: int, batches: EpochBatches) -> None:
        context = _context(type(batches).__module__)
        while len(self._workers) < count:
            connection, remote = context.Pipe()
            # torch and Ray set a start method of their own, so the context's is used.
            start: Any = context.Process  # type: ignore[attr-defined]
            process = start(target=serve_batches, args=(remote,), daemon=True)
            process.start()
            self._processes.append(process)
            remote.close()
            self._workers.append(_Worker(connection))

    def _request(self, epoch: _Epoch, worker: _Worker, slot: int) -> None:
        """Request the next batch of an epoch from a worker; free the slot if there is none."""
        index = next(epoch.pending, None)
        if index is None:
            worker.idle.append(slot)
            return
        with self._report_ended_workers():
            if epoch.number not in worker.epochs:
                self._send_epoch(epoch, worker)
            worker.connection.send(("read", epoch.number, index, slot))
            worker.requests += 1

    def _send_epoch(self, epoch: _Epoch, worker: _Worker) -> None:
        # A worker that is blocked on sending an answer would not receive a large message.
        while worker.requests:
            self._receive()
        pickled = io.BytesIO()
        pickler = _EpochPickler(pickled, self._number_shared)
        pickler.dump(epoch.batches)
        for number, content in pickler.shared.items():
            if number not in worker.shared:
                worker.connection.send(("keep", number, content))
                worker.shared.add(number)
        worker.connection.send(("open", epoch.number, pickled.getvalue()))
        worker.epochs.add(epoch.number)

    def _number_shared(self, content: SentOnce) -> int:
        """Return the number of an object, and keep the object so that its `id` is not reused."""
        return self._shared.setdefault(id(content), (len(self._shared), content))[0]

    def _receive(self) -> None:
        """Receive answers of workers; wait until there is at least one."""
        busy = {worker.connection: worker for worker in self._workers if worker.requests}
        with self._report_ended_workers():
            for connection in wait([*busy]):
                worker = busy[connection]  # type: ignore[index]
                answer: Answer = worker.connection.recv()
                worker.requests -= 1
                if answer.memory is not None:
                    worker.memory[answer.slot] = answer.memory
                if answer.number in self._epochs:
                    self._epochs[answer.number].answers[answer.batch_index] = worker, answer
                else:
                    worker.idle.append(answer.slot)

    def _close_epoch(self, epoch: _Epoch, unread: list[tuple[_Worker, Answer]]) -> None:
        """Let the workers drop an epoch, and free the slots of batches that were not read."""
        del self._epochs[epoch.number]
        for worker, answer in unread:
            worker.idle.append(answer.slot)
        for worker in self._workers:
            if epoch.number in worker.epochs:
                worker.epochs.remove(epoch.number)
                # A worker that has ended is reported when a batch is requested.
                with suppress(OSError):
                    worker.connection.send(("forget", epoch.number))

    @contextmanager
    def _report_ended_workers(self) -> Iterator[None]:
        """Raise BenchError if a worker has ended, after ending the others."""
        try:
            yield
        except (EOFError, OSError):
            self.close()
            raise BenchError(
                "a worker process that prefetches batches has ended, most often because memory ran "
                "out; lower workers in the resources of the suite, or set it to 0"
            ) from None


class _EpochPickler(ForkingPickler):
    """Pickles an epoch with numbers in place of objects that workers receive once.

    Attributes:
        shared: These objects, by number.
    """

    def __init__(self, stream: io.BytesIO, number: Callable[[SentOnce], int]) -> None:
        super().__init__(stream)
        self._number = number
        self.shared: dict[int, SentOnce] = {}

    def persistent_id(self, content: object) -> int | None:
        if not isinstance(content, SentOnce):
            return None
        number = self._number(content)
        self.shared[number] = content
        return number


def _end(processes: list[BaseProcess], owner: int) -> None:
    """End worker processes; in a fork of the process that started them, do nothing."""
    if os.getpid() != owner:
        return
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(_EXIT_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    processes.clear()


def _context(module: str) -> BaseContext:
    """Return the multiprocessing context that starts workers.

    A fork of this process is avoided, because it has threads and perhaps a GPU. Workers are forks
    of a server without either, which imports once what is slow to import: torch, the modules of
    data, pandas (pyarrow imports it with its first value), and ray in a worker of Ray, whose main
    module imports it.

    Args:
        module: The module of the class of the first epoch.
    """
    keep_sockets_short()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: Any = multiprocessing.get_context("forkserver")
    data = [name for name in sys.modules if name.startswith("bench.data.")]
    others = {"pandas", "ray"} & sys.modules.keys()
    context.set_forkserver_preload([module, *data, *others])
    typed: BaseContext = context
    return typed
