"""The training of a swept trial under a watchdog, as its process runs it."""

from __future__ import annotations

import faulthandler
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.tasks.task import run_task

if TYPE_CHECKING:
    from bench.trials.events import Event
    from bench.trials.specs import Training
    from bench.trials.store import Store

HUNG = "hung.txt"


def watched_training(training: Training, store: Store, heartbeat_timeout: float) -> Iterator[Event]:
    """Run a training; end this process where it reports nothing for `heartbeat_timeout` seconds."""
    folder = store.folder(training)
    folder.mkdir(parents=True, exist_ok=True)
    limit = training.resources.time_limit or math.inf
    watchdog = Watchdog(folder / HUNG, heartbeat_timeout, limit)
    watchdog.reset()
    try:
        for event in run_task(training, store):
            watchdog.reset()
            yield event
    finally:
        watchdog.stop()


class Watchdog:
    """Ends this process, even inside native code, once it is not reset in time.

    Tune has no such mechanism: it checks its stopping conditions only when a trial reports.

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
