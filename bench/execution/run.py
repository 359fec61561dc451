"""Run trials on the executor that was asked for, and show how they go."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bench.execution.progress import reporter
from bench.trials.events import Event, Failed, Finished

if TYPE_CHECKING:
    from bench.trials.grid import Trial
    from bench.trials.store import Failure, Store


class Executor(Protocol):
    """Where trials run."""

    def run(
        self, trials: Sequence[Trial], store: Store
    ) -> Generator[tuple[Trial, Event], None, None]:
        """Yield the events of all trials as they come; closing it early ends what runs."""
        ...


def place(name: str, address: str | None = None) -> AbstractContextManager[Executor]:
    """Return the executor called `name`; only `ray` has an address, and imports ray."""
    if name == "inline":
        from bench.execution.inline import InlineExecutor

        return nullcontext(InlineExecutor())
    from bench.execution.ray import connect

    return connect(address)


def execute(
    trials: Sequence[Trial],
    store: Store,
    where: AbstractContextManager[Executor],
    *,
    fail_fast: bool = False,
    anew: bool = False,
    interrupted: Callable[[], bool] = bool,
) -> list[Failure]:
    """Run all trials, or all until the first failure; return the failures.

    Of trials that share their weights one comes before the others, which take them from it; `anew`
    trains it even where they are there already. Raises KeyboardInterrupt at the first event once
    `interrupted` says so.
    """
    failures = []
    # A closed stream ends its trials at once instead of whenever it is collected.
    with (
        reporter(trials) as shown,
        where as executor,
        closing(_waves(executor, trials, store, anew=anew)) as events,
    ):
        for trial, event in events:
            shown.show(trial, event)
            if interrupted():
                raise KeyboardInterrupt
            if isinstance(event, Failed):
                failures.append(event.failure)
                if fail_fast:
                    break
    return failures


def _waves(
    executor: Executor, trials: Sequence[Trial], store: Store, *, anew: bool
) -> Generator[tuple[Trial, Event], None, None]:
    """Yield the events of trials, each only once there is no teacher left to wait for.

    The first trial of a training is the teacher of those that train alike; where it fails, the next
    one is.
    """
    left, taught = list(trials), set[str]()
    while left:
        begun: set[str] = set()
        wave: list[Trial] = []
        rest: list[Trial] = []
        for trial in left:
            if trial.training_key in begun:
                rest.append(trial)
            elif trial.training_key in taught:
                wave.append(trial)
            else:
                begun.add(trial.training_key)
                wave.append(replace(trial, anew=anew))
        for trial, event in executor.run(wave, store):
            if isinstance(event, Finished):
                taught.add(trial.training_key)
            yield trial, event
        left = rest
