"""A sweep on Ray Tune: it schedules and stops trials, each of them `bench.training.run_trial`."""

from __future__ import annotations

import itertools
import logging
import math
import os
import tempfile
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

# Tune reads these while it runs: no pickle or log of its own beside the study, signals are bench's.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
# Its newer output is printed in spite of verbose=0, onto the stream of --json.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

from bench.execution.ray import reservation  # isort: skip  (before ray)

import optuna
from ray import tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from bench.sweeps.distributions import distributions
from bench.sweeps.journal import Journal
from bench.sweeps.study import score
from bench.sweeps.swept_trial import EPOCH, SCORE, SweptTrial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.config.sweep_space import Domain
    from bench.sweeps.study import Study, Tried
    from bench.sweeps.sweep import Sweep
    from bench.trials.grid import Trial

_STARTUP = (4, 10)
_ASKED = 50
"""So often a sampler may suggest what was tried already, before it is given another point."""


def run(study: Study, told: Callable[[Tried], None], interrupted: Callable[[], bool]) -> None:
    """Try what is left of the study's budget, a trial or more, on the Ray cluster joined before.

    `told` hears of each trial that ends. Raises KeyboardInterrupt once `interrupted` says so.
    """
    sweep, table = study.sweep, study.sweep.table
    known, left = study.tried(), study.left()
    budget = 60 * table.minutes - study.seconds if table.minutes else math.inf
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    wanted = reservation(sweep.base)
    trainable = tune.with_parameters(
        SweptTrial, base=sweep.base, store=study.store, silence=table.silence
    )
    journal = Journal(study, budget, told, interrupted)
    with tempfile.TemporaryDirectory(prefix="bench-sweep-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(trainable, {kind.lower(): n for kind, n in wanted.items()}),
            tune_config=tune.TuneConfig(
                num_samples=left,
                search_alg=_searcher(study, known),
                scheduler=_scheduler(study, known),
                time_budget_s=None if math.isinf(budget) else budget,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                callbacks=[journal],
            ),
        )
        try:
            tuner.fit()
        finally:
            # Also of trials that the budget or a signal ended, which are left to go on.
            journal.spend()


def _searcher(study: Study, known: list[Tried]) -> OptunaSearch:
    """Return a searcher that knows what was tried, and begins with what is unfinished."""
    base, table = study.sweep.base, study.sweep.table
    space = distributions(table.domains)
    past = [one for one in known if one.ended]
    pending = [one.params for one in known if not one.ended]
    sampler: optuna.samplers.BaseSampler
    if table.sampler == "random":
        sampler = optuna.samplers.RandomSampler(seed=_seed(base, "sampler"))
        tried = [one.params for one in known]
        pending += [point for point in points(study.sweep) if point not in tried]
    else:
        fewest, most = _STARTUP
        sampler = optuna.samplers.TPESampler(
            seed=_seed(base, f"sampler/{len(past)}"),
            n_startup_trials=max(fewest, min(most, table.trials // 4)),
            constant_liar=True,
        )
    search = FreshSearch(
        space, metric=SCORE, mode="min", sampler=sampler, points_to_evaluate=pending
    )
    search.know(table.domains, [one.params for one in past])
    for one in past:
        value = score(one, base.training.select) if one.scores else math.inf
        search.add_evaluated_point(one.params, value, error=one.state == "failed")
    return search


class FreshSearch(OptunaSearch):
    """Optuna's suggestions, each point once.

    TPE may suggest a point again. As a trial it would spend budget on what is known, end twice what
    has ended, and write into the folder of the first, perhaps while that runs.
    """

    def know(self, domains: Mapping[str, Domain], tried: list[Any]) -> None:
        """Remember the space, and the points that are not to be suggested any more."""
        self._domains, self._tried = domains, tried

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """Return a point that was not tried, or FINISHED where there is none."""
        for _ in range(_ASKED):
            point = super().suggest(trial_id)
            if point not in self._tried:
                self._tried.append(point)
                return point
            self._forget(trial_id)
        # Of a small space that is all but used up, the rest in order.
        if math.isinf(math.prod(domain.size for domain in self._domains.values())):
            return Searcher.FINISHED
        every = itertools.product(*(domain.members for domain in self._domains.values()))
        points = (dict(zip(self._domains, values, strict=True)) for values in every)
        rest = next((point for point in points if point not in self._tried), None)
        if rest is None:
            return Searcher.FINISHED
        known: Any = self._ot_study
        known.enqueue_trial(rest)
        self._tried.append(rest)
        return super().suggest(trial_id)

    def _forget(self, trial_id: str) -> None:
        """Take the last suggestion back; of a failed trial the sampler learns nothing."""
        known: Any = self._ot_study
        known.tell(self._ot_trials.pop(trial_id), state=optuna.trial.TrialState.FAIL)


def points(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what the random sampler draws, each point once, wherever the sweep was stopped."""
    drawn = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=_seed(sweep.base, "sampler"))
    )
    space = distributions(sweep.table.domains)
    found: list[dict[str, Any]] = []
    # An interval may hold fewer numbers than there are to be trials, which only drawing shows.
    for _ in range(_ASKED * sweep.trials):
        point = drawn.ask(space).params
        if point not in found:
            found.append(point)
        if len(found) == sweep.trials:
            break
    return found


def _seed(base: Trial, purpose: str) -> int:
    return base.named_seed(purpose) % 2**32


def _scheduler(study: Study, known: list[Tried]) -> TrialScheduler:
    """Return the scheduler; ASHA (Li et al., 2020) knows the epochs of trials that have ended."""
    base, table = study.sweep.base, study.sweep.table
    if table.scheduler == "fifo":
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    scheduler = ASHAScheduler(
        time_attr=EPOCH,
        metric=SCORE,
        mode="min",
        max_t=base.training.epochs,
        grace_period=min(table.grace, base.training.epochs),
        reduction_factor=table.reduction,
        stop_last_trials=False,
    )
    for one in known:
        if one.ended:
            past: Any = SimpleNamespace(trial_id=one.key)
            controller: Any = None
            scheduler.on_trial_add(controller, past)
            for epoch in range(1, len(one.scores) + 1):
                told = {EPOCH: epoch, SCORE: score(one, base.training.select, epoch)}
                scheduler.on_trial_result(controller, past, told)
    return scheduler
