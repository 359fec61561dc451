"""What Ray Tune tells of a sweep's trials, written into its study as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from bench.sweeps.study import Tried, ended
from bench.sweeps.swept_trial import EPOCH, HUNG

if TYPE_CHECKING:
    from bench.sweeps.study import Study


class Journal(tune.Callback):
    """Writes into the study what becomes of its trials."""

    def __init__(
        self,
        study: Study,
        budget: float,
        told: Callable[[Tried], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._study, self._budget, self._told = study, budget, told
        self._interrupted = interrupted
        self._running: dict[str, tuple[Tried, float]] = {}
        self._spent, self._began = study.seconds, time.monotonic()

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Notice a signal whose exception was lost."""
        if self._interrupted():
            raise KeyboardInterrupt

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write that the trial runs."""
        tried = replace(self._study.begin(trial.config), state="running")
        self._running[trial.trial_id] = tried, time.monotonic() - tried.seconds

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Write the epoch's score."""
        tried, began = self._running[trial.trial_id]
        before = tried.scores[: max(result[EPOCH] - 1, 0)]
        scores = tried.scores if "state" in result else [*before, result["cer"]]
        tried = replace(tried, scores=scores, seconds=time.monotonic() - began)
        self._running[trial.trial_id] = tried, began
        self._study.keep(tried)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write how the trial ended; one that only the budget ended is left to go on."""
        tried, began = self._running.pop(trial.trial_id)
        result = trial.last_result
        if result.get("state") == "done":
            record = self._study.store.record(self._study.sweep.trial(tried.params))
            assert record, "a finished trial has a record"  # noqa: S101
            tried = replace(tried, scores=[epoch.validation_ler for epoch in record.curve])
        elif "state" not in result and time.monotonic() - self._began >= self._budget:
            return
        state = result.get("state", "stopped")
        seconds = time.monotonic() - began
        self._end(ended(tried, state, seconds=seconds, message=result.get("message", "")))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write that the trial's process ended, or could not begin with it."""
        message = "its worker ended"
        if trial.trial_id not in self._running:
            message = _unbegun(trial)
            self.on_trial_start(iteration, trials, trial)
        tried, began = self._running.pop(trial.trial_id)
        folder = self._study.store.folder(self._study.sweep.trial(tried.params))
        with suppress(OSError):
            if (folder / HUNG).read_text(encoding="utf-8"):
                message = f"it hung or was over its time limit; {folder / HUNG} says where"
        self._end(ended(tried, "failed", seconds=time.monotonic() - began, message=message))

    def _end(self, tried: Tried) -> None:
        self._study.keep(tried)
        self.spend()
        self._told(tried)

    def spend(self) -> None:
        """Write how long the sweep has run up to now."""
        self._study.spend(self._spent + time.monotonic() - self._began)


def _unbegun(trial: Any) -> str:
    """Say why a trial's worker did not come up: the last line of what Tune has of it."""
    with suppress(OSError, ValueError):
        *_, last = Path(trial.error_file or "").read_text(encoding="utf-8").strip().splitlines()
        return f"its worker could not begin ({last})"
    return "its worker could not begin"
