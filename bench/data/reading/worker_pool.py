"""Processes that read batches ahead, for one pass after the other."""

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
"""How long a process may take to end, which it does once the batch that it reads is read."""
_AHEAD = 2
"""Batches of a pass that each process reads ahead."""


@dataclass
class _Worker:
    """A process that reads, and what it has.

    Attributes:
        connection: Where requests are sent and answers arrive.
        requests: How many batches it was asked for and has not answered yet.
        passes: The numbers of the passes that it has.
        kept: The numbers of the `SentOnce` objects that it has.
        memory: The shared memory of each slot, in which it leaves inputs.
        idle: The slots that no pass uses.
    """

    connection: Connection
    requests: int = 0
    passes: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    memory: dict[int, SharedBytes] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    new_slots: Iterator[int] = field(default_factory=itertools.count)


@dataclass
class _Pass:
    """A pass that is being read: the indices to be requested next, and the answers by index."""

    number: int
    batches: EpochBatches
    pending: Iterator[int]
    answers: dict[int, tuple[_Worker, Answer]] = field(default_factory=dict)


class WorkerPool:
    """Processes that read the batches of passes ahead, and live until `close`.

    Several passes may be read at once, such as a validation within an epoch; what was read ahead of
    the first is kept. One thread at a time may use a pool.

    Args:
        count: The largest number of processes. No more are started than a pass has batches.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: list[_Worker] = []
        self._processes: list[BaseProcess] = []
        self._passes: dict[int, _Pass] = {}
        self._numbers = itertools.count()
        self._kept: dict[int, tuple[int, SentOnce]] = {}
        weakref.finalize(self, _end, self._processes, os.getpid())

    def read(self, batches: EpochBatches, first: int = 0) -> Generator[Batch, None, None]:
        """Yield the batches of a pass in order from index `first` on, with inputs as stored.

        Inputs are valid until the next batch is asked for: their memory is used again.

        Raises:
            BenchError: One that reading a batch raises, or a process has ended.
        """
        indices = range(first, len(batches))
        self._start(min(self._count, len(indices)), batches)
        mine = _Pass(next(self._numbers), batches, iter(indices))
        self._passes[mine.number] = mine
        yielded: tuple[_Worker, Answer] | None = None
        try:
            for _, worker in itertools.product(range(_AHEAD), [*self._workers]):
                slot = worker.idle.pop() if worker.idle else next(worker.new_slots)
                self._request(mine, worker, slot)
            for index in indices:
                while index not in mine.answers:
                    self._receive()
                worker, answer = yielded = mine.answers.pop(index)
                yield answer.batch(worker.memory)
                yielded = None
                self._request(mine, worker, answer.slot)
        finally:
            self._leave(mine, [*mine.answers.values(), *([yielded] if yielded else [])])

    def close(self) -> None:
        """End the processes; another pass starts others."""
        for worker in self._workers:
            worker.connection.close()
        self._workers.clear()
        self._kept.clear()
        _end(self._processes, os.getpid())

    def _start(self, count: int, batches: EpochBatches) -> None:
        context = _context(type(batches).__module__)
        while len(self._workers) < count:
            mine, its = context.Pipe()
            # torch and Ray have a start method of their own for processes.
            start: Any = context.Process  # type: ignore[attr-defined]
            process = start(target=serve_batches, args=(its,), daemon=True)
            process.start()
            self._processes.append(process)
            its.close()
            self._workers.append(_Worker(mine))

    def _request(self, mine: _Pass, worker: _Worker, slot: int) -> None:
        """Ask a worker for the next batch of a pass; put the slot aside where there is none."""
        index = next(mine.pending, None)
        if index is None:
            worker.idle.append(slot)
            return
        with self._all_alive():
            if mine.number not in worker.passes:
                self._send_pass(mine, worker)
            worker.connection.send(("read", mine.number, index, slot))
            worker.requests += 1

    def _send_pass(self, mine: _Pass, worker: _Worker) -> None:
        # A worker that waits for its answer to be taken would not take a large message.
        while worker.requests:
            self._receive()
        pickled = io.BytesIO()
        pickler = _PassPickler(pickled, self._number_kept)
        pickler.dump(mine.batches)
        for number, content in pickler.kept.items():
            if number not in worker.kept:
                worker.connection.send(("keep", number, content))
                worker.kept.add(number)
        worker.connection.send(("open", mine.number, pickled.getvalue()))
        worker.passes.add(mine.number)

    def _number_kept(self, content: SentOnce) -> int:
        """Return the number of an object, which is held so that no other gets its identity."""
        return self._kept.setdefault(id(content), (len(self._kept), content))[0]

    def _receive(self) -> None:
        """Take what workers answer; wait for one to do so."""
        asked = {worker.connection: worker for worker in self._workers if worker.requests}
        with self._all_alive():
            for connection in wait([*asked]):
                worker = asked[connection]  # type: ignore[index]
                answer: Answer = worker.connection.recv()
                worker.requests -= 1
                if answer.memory is not None:
                    worker.memory[answer.slot] = answer.memory
                if answer.number in self._passes:
                    self._passes[answer.number].answers[answer.place] = worker, answer
                else:
                    worker.idle.append(answer.slot)

    def _leave(self, mine: _Pass, unread: list[tuple[_Worker, Answer]]) -> None:
        """Have the workers drop a pass, and take back the slots of what was not read."""
        del self._passes[mine.number]
        for worker, answer in unread:
            worker.idle.append(answer.slot)
        for worker in self._workers:
            if mine.number in worker.passes:
                worker.passes.remove(mine.number)
                # One that has ended is reported where a batch is asked for.
                with suppress(OSError):
                    worker.connection.send(("forget", mine.number))

    @contextmanager
    def _all_alive(self) -> Iterator[None]:
        """Say in a sentence that a worker has ended; end the others."""
        try:
            yield
        except (EOFError, OSError):
            self.close()
            raise BenchError(
                "a process that reads batches ahead has ended, most often for want of memory; "
                "lower workers in the suite's resources, or set it to 0"
            ) from None


class _PassPickler(ForkingPickler):
    """Pickles a pass with numbers for what it refers to and workers get once.

    Attributes:
        kept: What it refers to, by number.
    """

    def __init__(self, stream: io.BytesIO, number: Callable[[SentOnce], int]) -> None:
        super().__init__(stream)
        self._number = number
        self.kept: dict[int, SentOnce] = {}

    def persistent_id(self, content: object) -> int | None:
        if not isinstance(content, SentOnce):
            return None
        number = self._number(content)
        self.kept[number] = content
        return number


def _end(processes: list[BaseProcess], owner: int) -> None:
    """End processes that only read, in the process that started them."""
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
    """Return how workers are started.

    Not by a fork of this process, which has threads and perhaps a GPU, but of a server without
    either, which imports once what every worker needs and is slow to come: torch, the modules of
    data, pandas, which pyarrow asks for with its first value, and ray in a worker of Ray, whose
    main module wants it.

    Args:
        module: That of the first pass.
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
