"""Loading of batches with prefetch, up to the device that computes with them."""

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
    """Read one batch in this process, and return it as float32 on the CPU."""
    return _finished(pipeline, batches[index])


class BatchLoader:
    """Reads epochs: yields their batches in order, as float32 on the device.

    The batches are the same for any number of workers, and the random generators of this process
    are not used. On a GPU a thread prefetches the next batch during the current step: it is read,
    copied through pinned memory and converted on a separate CUDA stream. On a CPU a batch is read
    when it is needed, or prefetched by the workers.

    Workers start with the first epoch and run until `close`. They also end when the loader is
    garbage-collected or its process ends.

    Args:
        pipeline: The pipeline whose `finish` converts stored inputs to float32.
        workers: The number of processes that prefetch; 0 reads in this process.
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
        """Yield the batches of an epoch from index `first` on.

        Several epochs may be read at once, such as one of validation during one of training.

        Raises:
            BenchError: A batch cannot be read, or a worker process has ended.
        """
        stored = self._pool.read(batches, first) if self._pool else _read(batches, first)
        if self._copier is None or self._thread is None:
            with closing(stored):
                for batch in stored:
                    yield _finished(self._pipeline, batch)
            return
        with closing(self._thread.read(stored, self._copier.copy)) as copied:
            for copied_batch in copied:
                yield self._copier.ready(copied_batch)

    def close(self) -> None:
        """End the workers; epochs that were not read to the end cannot be continued."""
        if self._thread:
            self._thread.close()
        if self._pool:
            self._pool.close()


class ReadingThread:
    """A thread that prefetches one batch; several epochs may share it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "bench-reading")

    def read(
        self, stored: Generator[T, None, None], prepare: Callable[[T], R]
    ) -> Generator[R, None, None]:
        """Yield `prepare(value)` for each value of `stored`; both run in the thread.

        While the caller uses a value, the thread prepares the next one.
        """

        def prepare_next() -> R | None:
            value = next(stored, None)
            return None if value is None else prepare(value)

        try:
            pending = self._executor.submit(prepare_next)
            while (prepared := pending.result()) is not None:
                pending = self._executor.submit(prepare_next)
                yield prepared
        finally:
            # Closed in the thread: a generator that is running there cannot be closed here.
            with suppress(RuntimeError):  # the thread has ended
                self._executor.submit(stored.close).result()

    def close(self) -> None:
        """End the thread after the value that it is preparing."""
        self._executor.shutdown(cancel_futures=True)


class _Copied(NamedTuple):
    """A batch on a GPU, and the event that marks the end of its copy."""

    batch: Batch
    complete: torch.cuda.Event


class _Copier:
    """Copies batches to a GPU and converts them there, on a stream beside that of the computation.

    Args:
        pipeline: The pipeline whose `finish` converts stored inputs to float32.
        device: The GPU.
    """

    def __init__(self, pipeline: InputPipeline, device: torch.device) -> None:
        self._pipeline = pipeline
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def copy(self, batch: Batch) -> _Copied:
        """Enqueue the copy of a batch; the memory of the batch may be overwritten afterwards."""
        pinned = batch._replace(inputs=batch.inputs.pin_memory())
        with torch.cuda.stream(self._stream):
            finished = _finished(self._pipeline, pinned.to(str(self._device)))
            return _Copied(finished, self._stream.record_event())

    def ready(self, copied: _Copied) -> Batch:
        """Let the computing stream wait for the copy of a batch, and return the batch."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(copied.complete)
        # Otherwise the copying stream might reuse the memory during the computation.
        copied.batch.inputs.record_stream(computing)
        return copied.batch


def _read(batches: EpochBatches, first: int) -> Generator[Batch, None, None]:
    for index in range(first, len(batches)):
        yield batches[index]


def _finished(pipeline: InputPipeline, batch: Batch) -> Batch:
    inputs = pipeline.finish(batch.inputs)
    if inputs.data_ptr() == batch.inputs.data_ptr():
        inputs = inputs.clone()  # the memory of stored inputs is overwritten by later batches
    return batch._replace(inputs=inputs)
