"""A trial of a sweep as Ray Tune runs it: in a worker, an epoch a step, under a watchdog."""

from __future__ import annotations

import faulthandler
import math
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.execution.ray import on_this_worker  # isort: skip  (it settles what ray reads)
from ray import tune

from bench.sweeps.sweep import changed
from bench.tasks.trial import run_trial
from bench.trials.events import Event, Failed, Finished, Validated

if TYPE_CHECKING:
    from bench.trials.grid import Trial
    from bench.trials.store import Store

HUNG = "hung.txt"
SCORE, EPOCH = "score", "epoch"


class SweptTrial(tune.Trainable):
    """One trial, an epoch a step; the last step goes on until its record is written."""

    # Tune calls these with what `with_parameters` was given.
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], base: Trial, store: Store, silence: float
    ) -> None:
        """Begin the trial of the parameters `config`."""
        self._base, self._store, self._silence = base, store, silence
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process, which has torch already."""
        self.cleanup()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch; return its number and validation CER."""
        result: dict[str, Any] = {}
        for event in self._events:
            self._watchdog.hear()
            match event:
                case Validated(epoch, cer, selected):
                    result = {EPOCH: epoch, "cer": cer, SCORE: selected}
                    if epoch < self._trial.training.epochs:
                        return result
                case Finished():
                    break
                case Failed(failure):
                    return _end(0, math.inf, state="failed", message=failure.message)
        record = self._store.record(self._trial)
        assert record, "a finished trial has a record"  # noqa: S101
        selected = record.curve[record.selected_epoch - 1].validation_ler
        return _end(len(record.curve), selected, state="done")

    def cleanup(self) -> None:
        """End the trial wherever it stands."""
        self._watchdog.rest()
        self._events.close()

    def _begin(self, config: dict[str, Any]) -> None:
        self._trial = on_this_worker(changed(self._base, config))
        folder = self._store.folder(self._trial)
        folder.mkdir(parents=True, exist_ok=True)
        self._watchdog = Watchdog(
            folder / HUNG, self._silence, self._trial.resources.time_limit or math.inf
        )
        self._watchdog.hear()
        self._events = _events(self._trial, self._store)


def _events(trial: Trial, store: Store) -> Generator[Event, None, None]:
    """Run a trial that has no record yet; the test split is not for a sweep."""
    if not store.record(trial):
        yield from run_trial(trial, store, scored=("validation",))


def _end(epoch: int, selected: float, **how: str) -> dict[str, Any]:
    return {EPOCH: epoch, "cer": selected, SCORE: selected, "done": True, **how}


class Watchdog:
    """Ends this process, even inside native code, once nothing is heard for too long.

    Tune has no such thing: what it stops a trial by is only looked at when the trial reports.
    """

    def __init__(self, file: Path, silence: float, limit: float) -> None:
        self._path = file
        self._file = file.open("w", encoding="utf-8")
        self._silence = silence
        self._ends = time.monotonic() + limit

    def hear(self) -> None:
        """Begin to wait anew."""
        seconds = min(self._silence, max(self._ends - time.monotonic(), 0.001))
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)

    def rest(self) -> None:
        """Wait no longer."""
        faulthandler.cancel_dump_traceback_later()
        self._file.close()
        if not self._path.stat().st_size:
            self._path.unlink()
