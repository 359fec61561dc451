"""Batches on the device that computes with them, read ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

import torch

from bench.data.reading.worker_pool import WorkerPool

if TYPE_CHECKING:
    from bench.core.types import Batch, EpochBatches, InputPipeline

T = TypeVar("T")
R = TypeVar("R")


def read_batch(pipeline: InputPipeline, batches: EpochBatches, index: int) -> Batch:
    """Read one batch now, in this process, and return it finished, on the CPU."""
    return _finished(pipeline, batches[index])


class BatchLoader:
    """Reads passes over a data set: batches in order, finished, on the device.

    The batches are the same for any number of workers, and no random generator of this process is
    touched. On a GPU the next batch is read, copied and finished while the current one is computed
    with, by a thread, through pinned memory and on a stream of its own. On a CPU a batch is read
    when it is asked for, or before by workers.

    Workers start with the first pass and live until `close`; with a loader that is collected as
    garbage, or a process that ends, they end too.

    Args:
        pipeline: What finishes inputs.
        workers: Processes that read ahead; 0 reads in this process.
        device: "cpu" or "cuda".
    """

    def __init__(self, pipeline: InputPipeline, workers: int, device: str) -> None:
        self._pipeline = pipeline
        self._pool = WorkerPool(workers) if workers else None
        self._copier, self._thread = None, None
        if device != "cpu":
            self._copier = _Copier(pipeline, torch.device(device))
            self._thread = ReadingThread()

    def __enter__(self) -> Self:
        """Return this loader; it is closed at the end of the `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close this loader."""
        self.close()

    def read(self, batches: EpochBatches, first: int = 0) -> Generator[Batch, None, None]:
        """Yield the batches of a pass from index `first` on.

        Several passes may be read at once, such as a validation within an epoch.

        Raises:
            BenchError: One that reading a batch raises, or a worker has ended.
        """
        stored = self._pool.read(batches, first) if self._pool else _read(batches, first)
        if self._copier is None or self._thread is None:
            with closing(stored):
                for batch in stored:
                    yield _finished(self._pipeline, batch)
            return
        with closing(self._thread.read(stored, self._copier.copy)) as copied:
            for each in copied:
                yield self._copier.ready(each)

    def close(self) -> None:
        """End the workers; passes that have not ended cannot be continued."""
        if self._thread:
            self._thread.close()
        if self._pool:
            self._pool.close()


class ReadingThread:
    """A thread that reads one batch ahead, of several passes in turn."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "bench-reading")

    def read(
        self, stored: Generator[T, None, None], prepare: Callable[[T], R]
    ) -> Generator[R, None, None]:
        """Yield what `prepare` makes of each value of `stored`, both called in the thread.

        When a value is yielded, the next one is under way.
        """

        def ahead() -> R | None:
            value = next(stored, None)
            return None if value is None else prepare(value)

        try:
            coming = self._executor.submit(ahead)
            while (prepared := coming.result()) is not None:
                coming = self._executor.submit(ahead)
                yield prepared
        finally:
            # In the thread: `stored` may be under way there, and is closed once it is not.
            with suppress(RuntimeError):  # the thread has ended
                self._executor.submit(stored.close).result()

    def close(self) -> None:
        """End the thread, once it has prepared what it is at."""
        self._executor.shutdown(cancel_futures=True)


class _Copied(NamedTuple):
    """A batch on a GPU, and the event after which it is complete there."""

    batch: Batch
    complete: torch.cuda.Event


class _Copier:
    """Copies batches to a GPU and finishes them there, beside the computation.

    Args:
        pipeline: What finishes inputs.
        device: The GPU.
    """

    def __init__(self, pipeline: InputPipeline, device: torch.device) -> None:
        self._pipeline = pipeline
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def copy(self, batch: Batch) -> _Copied:
        """Enqueue the copy of a batch, which may be in memory that is used again afterwards."""
        pinned = batch._replace(inputs=batch.inputs.pin_memory())
        with torch.cuda.stream(self._stream):
            finished = _finished(self._pipeline, pinned.to(str(self._device)))
            return _Copied(finished, self._stream.record_event())

    def ready(self, copied: _Copied) -> Batch:
        """Have the stream that computes wait for a batch, and return it."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(copied.complete)
        # Else its memory might be used again by the other stream while it is computed with.
        copied.batch.inputs.record_stream(computing)
        return copied.batch


def _read(batches: EpochBatches, first: int) -> Generator[Batch, None, None]:
    for index in range(first, len(batches)):
        yield batches[index]


def _finished(pipeline: InputPipeline, batch: Batch) -> Batch:
    inputs = pipeline.finish(batch.inputs)
    if inputs.data_ptr() == batch.inputs.data_ptr():
        inputs = inputs.clone()  # the memory of stored inputs is used again
    return batch._replace(inputs=inputs)
