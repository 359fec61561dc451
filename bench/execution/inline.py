"""All trials one after the other in this process, without Ray: for debugging and notebooks."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from bench.tasks.trial import run_trial

if TYPE_CHECKING:
    from bench.trials.events import Event
    from bench.trials.grid import Trial
    from bench.trials.store import Store


class InlineExecutor:
    """Runs trials in order."""

    def run(
        self, trials: Sequence[Trial], store: Store
    ) -> Generator[tuple[Trial, Event], None, None]:
        """Yield every event of every trial."""
        for trial in trials:
            for event in run_trial(trial, store):
                yield trial, event
