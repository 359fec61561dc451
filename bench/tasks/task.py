"""Run one task and write its record or failure: the function that every executor calls."""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, cast

from bench.core.errors import BenchError, one_line
from bench.core.printable import first_line, printable
from bench.core.private_paths import without_private_paths
from bench.core.raised_at import raised_at
from bench.core.sources import outside_source
from bench.tasks.memory import is_out_of_memory
from bench.trials.events import Event, Failed, Finished, describe
from bench.trials.rank import ALONE, Rank
from bench.trials.records import Attempt, Cause, Failure
from bench.trials.specs import TrainedEvaluation, Training
from bench.trials.store import FAILURE, LOG, write

if TYPE_CHECKING:
    from pathlib import Path

    from bench.trials.specs import RecognizerEvaluation, Task
    from bench.trials.store import Store


_LINES = "\n\t"
_PATIENCE_SECONDS = 10.0
"""Seconds that a rank waits after it has lost another, so that the other's report comes first."""


def run_task(
    task: Task, store: Store, attempts: Sequence[Attempt] = (), rank: Rank = ALONE
) -> Generator[Event, None, None]:
    """Run `task` and write its record, reporting events; any fault ends in `Failed`.

    The record is the last file written, so a task that is killed counts as not done; a training
    resumes from its checkpoint the next time.

    Args:
        task: The training or evaluation.
        store: Where records are.
        attempts: Attempts of this run that failed before.
        rank: Rank 0 of a data-parallel training, or the only process of a task.
    """
    from bench.tasks.evaluate import evaluate
    from bench.tasks.recognize import recognize
    from bench.tasks.train import train

    log = _Log(store.folder(task) / LOG)
    with closing(log):
        try:
            store.begin(task)
            log.write(f"{task.key}  {task.kind}: {' · '.join(task.labels.values())}")
            if isinstance(task, Training):
                events = train(task, store, attempts, rank)
            elif isinstance(task, TrainedEvaluation):
                events = evaluate(task, store, attempts)
            else:
                events = recognize(cast("RecognizerEvaluation", task), store, attempts)
            for event in events:
                log.write(f"{datetime.now(UTC):%H:%M:%S}  {describe(event)}")
                yield event
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a fault of this task only)
            log.write(traceback.format_exc().rstrip())
            yield Failed(fail(task, store, [*attempts, _failed(error, rank, task)]))


class _Log:
    """The log of an attempt. If the disk is full, its lines are lost but the task continues.

    Args:
        file: The file, which is created with the first line.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stream: IO[bytes] | None = None

    def write(self, text: str) -> None:
        """Write lines; control characters are escaped."""
        with suppress(OSError):
            # Unbuffered: lines that could not be written are not written again at close.
            self._stream = self._stream or self._file.open("wb", buffering=0)
            self._stream.write(f"{printable(text, _LINES)}\n".encode())

    def close(self) -> None:
        """Close the file."""
        if self._stream:
            self._stream.close()


def run_rank(training: Training, store: Store, rank: Rank) -> Iterator[Finished | Attempt]:
    """Run a rank other than 0 of a data-parallel training, and yield how it ended.

    Rank 0 reports the events of the training and writes its files.
    """
    from bench.tasks.train import train

    try:
        for _ in train(training, store, (), rank):
            pass
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a fault of its training only)
        yield _failed(error, rank, training)
    else:
        yield Finished(f"rank {rank.number} has ended", 0.0)


def fail(task: Task, store: Store, attempts: Sequence[Attempt]) -> Failure:
    """Write the failure of `task` after all its attempts, and return it.

    If it cannot be written, as on a full disk, other tasks still run, and this one stays to do.
    """
    failure = Failure(task.key, task.spec, task.labels, task.seed, list(attempts))
    folder = store.folder(task)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / FAILURE, failure)
    return failure


def failed_attempt(cause: Cause, message: str, where: str | None = None) -> Attempt:
    """Return an attempt that failed now.

    Args:
        cause: The kind of fault.
        message: What is wrong; its first line is kept, without paths that name a person's home.
        where: The file and line that raised it; None if unknown.
    """
    message = without_private_paths(first_line(message))
    return Attempt(cause, message, datetime.now(UTC).isoformat(timespec="seconds"), where)


def _failed(error: BaseException, rank: Rank, task: Task) -> Attempt:
    """Return the failed attempt that ended in `error`."""
    from bench.training.distributed import is_lost_connection

    message = one_line(error)
    if isinstance(error, BenchError):
        # All ranks have the same configuration, and so the same error.
        return failed_attempt("configuration", message)
    cause: Cause = "out of memory" if is_out_of_memory(error) else "error"
    if not rank.alone and is_lost_connection(error):
        # Another rank has ended. It is reported within moments, unless its machine is lost.
        time.sleep(_PATIENCE_SECONDS)
        cause = "lost node"
    message = message if rank.leads else f"rank {rank.number}: {message}"
    return failed_attempt(cause, message, raised_at(error, _own_files(task)))


def _own_files(task: Task) -> list[Path]:
    """Return the source files of the task's components that are from outside bench."""
    files = []
    for component in task.components:
        # One without a file has no key either.
        with suppress(BenchError):
            files.append(outside_source(type(component)))
    return [file for file in files if file]
