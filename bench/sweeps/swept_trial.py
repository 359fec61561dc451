"""A trial of a sweep as Ray Tune runs it: one validation per step, in another process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bench.execution.ray import assigned_gpus  # isort: skip  (before ray)
from ray import tune

from bench.execution.task_process import TaskProcess
from bench.sweeps.sweep import with_params
from bench.sweeps.watchdog import HUNG, watched_training
from bench.trials.events import Event, Failed, Finished, Validated
from bench.trials.records import Attempt

if TYPE_CHECKING:
    from bench.trials.specs import Training
    from bench.trials.store import Store

SCORE, VALIDATION, RATE = "score", "validation", "label_error_rate"
"""Keys of a result: the score that Tune compares, and number and rate of the validation."""


class SweptTrial(tune.Trainable):
    """One training with one validation per step; the last step ends once its record is written."""

    # Tune calls it with the values that `with_parameters` was given.
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], base: Training, store: Store, heartbeat_timeout: float
    ) -> None:
        """Begin the training with the parameters `config`."""
        self._base, self._store, self._heartbeat_timeout = base, store, heartbeat_timeout
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same worker, whose server has already imported torch."""
        self.cleanup()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Wait for the next validation; return its number and its label error rate."""
        last = self._training.recipe.validations
        for report in self._reports:
            match report:
                case Validated(number, _, _, rate, selected) if number != last:
                    return {VALIDATION: number, RATE: rate, SCORE: selected}
                case Failed(failure):
                    return _end(0, math.inf, state="failed", message=failure.message)
                case Attempt(_, message):
                    message = self._why_hung() or message
                    return _end(0, math.inf, state="failed", message=message)
                case Finished():
                    break
        record = self._store.record(self._training)
        assert record, "a finished training has a record"  # noqa: S101
        return _end(len(record.curve), record.selected.validation_ler, state="done")

    def cleanup(self) -> None:
        """End the trial at once."""
        if self._process:
            self._process.kill()

    def _begin(self, config: dict[str, Any]) -> None:
        self._training = with_params(self._base, config).training
        self._process: TaskProcess | None = None
        self._reports: Iterator[Event | Attempt] = iter(())
        if not self._store.record(self._training):
            self._process = TaskProcess(
                watched_training,
                (self._training, self._store, self._heartbeat_timeout),
                assigned_gpus(),
                prefetches=self._training.resources.workers != 0,
            )
            self._reports = self._process.reports()

    def _why_hung(self) -> str | None:
        """Return what is to be said where the watchdog has ended the process."""
        file = self._store.folder(self._training) / HUNG
        with suppress(OSError):
            if file.stat().st_size:
                return f"it hung or exceeded its time limit; {file} has the stacks of its threads"
        return None


def _end(validation: int, selected: float, **details: str) -> dict[str, Any]:
    return {VALIDATION: validation, RATE: selected, SCORE: selected, "done": True, **details}
