"""Whether a suite can be run: what it lacks, what is left to run, and the estimated cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bench.config.missing import Missing, missing_names
from bench.core.errors import BenchError
from bench.trials import grid, plan
from bench.trials.data_needs import datasets_of_trial

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.trials.data_needs import DataNeed
    from bench.trials.plan import Cost, Plan
    from bench.trials.store import Store

State = Literal["done", "ready", "needs data", "cannot run"]


@dataclass(frozen=True)
class Readiness:
    """What a suite lacks to be run, and what is left to run.

    Attributes:
        suite: Its name.
        missing: Names in it that neither bench nor bench.toml defines.
        fault: Why it cannot be run, in a sentence; empty if it can.
        needs: The data sets that are not prepared.
        prepared: The names of the data sets that are prepared.
        unavailable: Why a recognizer cannot be used here, by its name on boards.
        to_run: How many tasks are not done and have all their data prepared.
        cost: What those may cost by earlier records; None without a record.
    """

    suite: str
    missing: Missing = field(default_factory=dict)
    fault: str = ""
    needs: tuple[DataNeed, ...] = ()
    prepared: tuple[str, ...] = ()
    unavailable: dict[str, str] = field(default_factory=dict)
    to_run: int = 0
    cost: Cost | None = None

    @property
    def state(self) -> State:
        """Whether `bench run` can run it, and whether there is anything to run."""
        if self.missing or self.fault:
            return "cannot run"
        if self.needs:
            return "needs data"
        return "ready" if self.to_run else "done"


def readiness(config: Config, store: Store) -> Iterator[Readiness]:
    """Yield the readiness of each suite of bench.toml."""
    for name in config.tables:
        yield _suite_readiness(config, name, store)


def _prepared_names(current: Plan) -> list[str]:
    """Return the names of the prepared data sets of a plan."""
    waiting = {need.dataset for need in current.needs}
    names = dict.fromkeys(
        getattr(dataset, "prepared_name", dataset.name)
        for trial in current.trials
        for dataset in datasets_of_trial(trial)
    )
    return [name for name in names if name not in waiting]


def _suite_readiness(config: Config, name: str, store: Store) -> Readiness:
    if missing := missing_names(config.tables[name], config.protocols, config.datasets):
        return Readiness(name, missing=missing)
    unavailable: dict[str, str] = {}
    try:
        suite = config.suite(name)
        unavailable = {each.name: why for each, why in grid.unavailable(suite).items()}
        trials = grid.unkeyed_trials(suite)
        current = plan.make_partial_plan(suite, trials, store, trials)
    except BenchError as error:
        return Readiness(name, fault=str(error), unavailable=unavailable)
    to_run = current.missing()
    return Readiness(
        name,
        needs=tuple(current.needs),
        prepared=tuple(_prepared_names(current)),
        unavailable=unavailable,
        to_run=len(to_run),
        cost=plan.estimated_cost(current, to_run),
    )
