"""A trial of a sweep as Ray Tune runs it: in a worker, up to a validation per step of Tune."""

from __future__ import annotations

import faulthandler
import math
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.execution.ray import on_this_worker, settle_worker  # isort: skip  (before ray)
from ray import tune

from bench.sweeps.sweep import with_params
from bench.tasks.task import run_task
from bench.trials.events import Event, Failed, Finished, Validated

if TYPE_CHECKING:
    from bench.trials.specs import Training
    from bench.trials.store import Store

HUNG = "hung.txt"
SCORE, VALIDATION, RATE = "score", "validation", "label_error_rate"
"""Keys of a result: what Tune compares, the number of the validation, and its rate alone."""


class SweptTrial(tune.Trainable):
    """One training, up to a validation per step; the last step ends once its record is written."""

    # Tune calls it with the values that `with_parameters` was given.
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], base: Training, store: Store, heartbeat_timeout: float
    ) -> None:
        """Begin the training with the parameters `config`."""
        settle_worker()
        self._base, self._store, self._heartbeat_timeout = base, store, heartbeat_timeout
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process, which has imported torch already."""
        self.cleanup()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train up to the next validation; return its number and its label error rate."""
        result: dict[str, Any] = {}
        for event in self._events:
            self._watchdog.reset()
            match event:
                case Validated(number, _, _, rate, selected):
                    result = {VALIDATION: number, RATE: rate, SCORE: selected}
                    if number != self._training.recipe.validations:
                        return result
                case Finished():
                    break
                case Failed(failure):
                    return _end(0, math.inf, state="failed", message=failure.message)
        record = self._store.record(self._training)
        assert record, "a finished training has a record"  # noqa: S101
        return _end(len(record.curve), record.selected.validation_ler, state="done")

    def cleanup(self) -> None:
        """End the trial, whatever it is doing."""
        self._watchdog.stop()
        self._events.close()

    def _begin(self, config: dict[str, Any]) -> None:
        task = on_this_worker(with_params(self._base, config))
        self._training = task.training
        folder = self._store.folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        self._watchdog = Watchdog(
            folder / HUNG, self._heartbeat_timeout, task.resources.time_limit or math.inf
        )
        self._watchdog.reset()
        self._events = _events(self._training, self._store)


def _events(training: Training, store: Store) -> Generator[Event, None, None]:
    """Run a training that has no record yet."""
    if not store.record(training):
        yield from run_task(training, store)


def _end(validation: int, selected: float, **details: str) -> dict[str, Any]:
    return {VALIDATION: validation, RATE: selected, SCORE: selected, "done": True, **details}


class Watchdog:
    """Ends this process, even inside native code, once it is not reset in time.

    Tune has no such thing: it looks at its stopping conditions only when a trial reports.

    Args:
        file: Where the stacks of all threads are written when it ends the process.
        heartbeat_timeout: Seconds from one reset to the next.
        time_limit: Seconds from now on, resets or not.
    """

    def __init__(self, file: Path, heartbeat_timeout: float, time_limit: float) -> None:
        self._path = file
        self._file = file.open("w", encoding="utf-8")
        self._heartbeat_timeout = heartbeat_timeout
        self._ends = time.monotonic() + time_limit

    def reset(self) -> None:
        """Start the timeout again."""
        seconds = min(self._heartbeat_timeout, max(self._ends - time.monotonic(), 0.001))
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)

    def stop(self) -> None:
        """End the watch."""
        faulthandler.cancel_dump_traceback_later()
        self._file.close()
        if not self._path.stat().st_size:
            self._path.unlink()
