"""A task from its specification to its record: the function that every executor runs."""

from __future__ import annotations

import traceback
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.tasks.memory import is_out_of_memory
from bench.trials.events import Event, Failed, describe
from bench.trials.records import Attempt, Cause, Failure
from bench.trials.specs import Training
from bench.trials.store import FAILURE, LOG, write

if TYPE_CHECKING:
    from bench.trials.specs import Task
    from bench.trials.store import Store


def run_task(
    task: Task, store: Store, attempts: Sequence[Attempt] = ()
) -> Generator[Event, None, None]:
    """Run `task` and write its record, reporting events; any fault ends in `Failed`.

    The record is the last file written, so a task killed at any moment is simply not done; a
    training resumes from its checkpoint the next time.

    Args:
        task: The training or evaluation.
        store: Where records are.
        attempts: Attempts of this run that failed before.
    """
    from bench.tasks.evaluate import evaluate
    from bench.tasks.train import train

    folder = store.begin(task)
    with (folder / LOG).open("w", encoding="utf-8", buffering=1) as log:
        log.write(f"{task.key}  {task.kind}: {' · '.join(task.labels.values())}\n")
        try:
            events = (
                train(task, store, attempts)
                if isinstance(task, Training)
                else evaluate(task, store, attempts)
            )
            for event in events:
                log.write(f"{datetime.now(UTC):%H:%M:%S}  {describe(event)}\n")
                yield event
        except Exception as error:  # noqa: BLE001 (any fault of one task is that task's failure)
            log.write(traceback.format_exc())
            yield Failed(fail(task, store, [*attempts, failed_attempt(*_cause(error))]))


def fail(task: Task, store: Store, attempts: Sequence[Attempt]) -> Failure:
    """Write the failure of `task` after all its attempts, and return it."""
    failure = Failure(task.key, task.spec, task.labels, task.seed, list(attempts))
    folder = store.folder(task)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / FAILURE, failure)
    return failure


def failed_attempt(cause: Cause, message: str) -> Attempt:
    """Return an attempt that failed now."""
    return Attempt(cause, message, datetime.now(UTC).isoformat(timespec="seconds"))


def _cause(error: Exception) -> tuple[Cause, str]:
    if isinstance(error, BenchError):
        return "configuration", str(error)
    exhausted = is_out_of_memory(error)
    return "out of memory" if exhausted else "error", f"{type(error).__name__}: {error}"
