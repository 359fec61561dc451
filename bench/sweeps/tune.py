"""A sweep on Ray Tune: it schedules and stops trials, each of them `bench.training.run_trial`."""

from __future__ import annotations

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
from ray.tune.search.optuna import OptunaSearch

from bench.sweeps.distributions import distributions
from bench.sweeps.journal import Journal
from bench.sweeps.study import score
from bench.sweeps.swept_trial import EPOCH, SCORE, SweptTrial

if TYPE_CHECKING:
    from bench.grid import Trial
    from bench.sweeps.study import Study, Tried
    from bench.sweeps.sweep import Sweep

_STARTUP = (4, 10)


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
    with tempfile.TemporaryDirectory(prefix="bench-sweep-") as scratch:
        tune.Tuner(
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
                callbacks=[Journal(study, budget, told, interrupted)],
            ),
        ).fit()


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
    search = OptunaSearch(
        space, metric=SCORE, mode="min", sampler=sampler, points_to_evaluate=pending
    )
    for one in past:
        value = score(one, base.training.select) if one.scores else math.inf
        search.add_evaluated_point(one.params, value, error=one.state == "failed")
    return search


def points(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what the random sampler draws, each point once, wherever the sweep was stopped."""
    drawn = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=_seed(sweep.base, "sampler"))
    )
    space = distributions(sweep.table.domains)
    found: list[dict[str, Any]] = []
    while len(found) < sweep.trials:
        point = drawn.ask(space).params
        if point not in found:
            found.append(point)
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
