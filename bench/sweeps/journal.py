"""A callback of Ray Tune that writes the trials of a sweep into its study as they change."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from bench.sweeps.study import StudyTrial, ended
from bench.sweeps.swept_trial import RATE, VALIDATION

if TYPE_CHECKING:
    from bench.sweeps.study import Study


class Journal(tune.Callback):
    """Writes the state of every trial into the study.

    Args:
        study: The study.
        budget: Seconds after which Tune ends trials that are to resume next time.
        on_end: Is given each trial that has ended.
        interrupted: Whether a signal has come.
    """

    def __init__(
        self,
        study: Study,
        budget: float,
        on_end: Callable[[StudyTrial], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._study, self._budget, self._on_end = study, budget, on_end
        self._interrupted = interrupted
        self._running: dict[str, tuple[StudyTrial, float]] = {}
        self._spent, self._began = study.seconds, time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: Tune pickles callbacks to restore them later, which bench never does.

        What a journal holds belongs to this process, such as the connection to the cluster.
        """
        return {}

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Notice a signal whose exception was lost."""
        if self._interrupted():
            raise KeyboardInterrupt

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write that the trial runs."""
        begun = replace(self._study.begin(trial.config), state="running")
        self._running[trial.trial_id] = begun, time.monotonic() - begun.seconds

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Write the score of a validation."""
        running, began = self._running[trial.trial_id]
        before = running.scores[: max(result[VALIDATION] - 1, 0)]
        scores = running.scores if "state" in result else [*before, result[RATE]]
        running = replace(running, scores=scores, seconds=time.monotonic() - began)
        self._running[trial.trial_id] = running, began
        self._study.keep(running)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write how the trial ended; one that only the budget ended resumes next time."""
        running, began = self._running.pop(trial.trial_id)
        result = trial.last_result
        if result.get("state") == "done":
            record = self._study.store.record(self._study.sweep.training(running.params))
            assert record, "a finished training has a record"  # noqa: S101
            running = replace(running, scores=[point.validation_ler for point in record.curve])
        elif "state" not in result and time.monotonic() - self._began >= self._budget:
            return
        state = result.get("state", "stopped")
        seconds = time.monotonic() - began
        self._end(ended(running, state, seconds=seconds, message=result.get("message", "")))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Write that the trial's worker ended, or did not start."""
        message = "its worker ended"
        if trial.trial_id not in self._running:
            message = _start_failure(trial)
            self.on_trial_start(iteration, trials, trial)
        running, began = self._running.pop(trial.trial_id)
        self._end(ended(running, "failed", seconds=time.monotonic() - began, message=message))

    def _end(self, trial: StudyTrial) -> None:
        self._study.keep(trial)
        self.spend()
        self._on_end(trial)

    def spend(self) -> None:
        """Write how long the sweep has run so far."""
        self._study.spend(self._spent + time.monotonic() - self._began)


def _start_failure(trial: Any) -> str:
    """Return why a trial's worker did not start: the last line of Tune's error file."""
    with suppress(OSError, ValueError):
        *_, last = Path(trial.error_file or "").read_text(encoding="utf-8").strip().splitlines()
        return f"its worker did not start ({last})"
    return "its worker did not start"
