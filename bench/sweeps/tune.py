"""A sweep on Ray Tune, which schedules and stops its trials (`bench.sweeps.swept_trial`)."""

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

from bench.execution.ray import reservation, with_workers  # isort: skip  (before ray)

import optuna
from ray import tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from bench.sweeps.distributions import distributions
from bench.sweeps.journal import Journal
from bench.sweeps.study import score
from bench.sweeps.swept_trial import SCORE, VALIDATION, SweptTrial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.config.sweep_space import Domain
    from bench.sweeps.study import Study, StudyTrial
    from bench.sweeps.sweep import Sweep
    from bench.trials.specs import Training

_MIN_RANDOM_TRIALS, _MAX_RANDOM_TRIALS = 4, 10
"""The bounds of the number of random points with which TPE starts: a quarter of the budget."""
_MAX_REPEATS = 50
"""How often a sampler may suggest an earlier point before a random one is used."""


def run(
    study: Study, on_end: Callable[[StudyTrial], None], interrupted: Callable[[], bool]
) -> None:
    """Run the rest of the budget on the connected Ray cluster.

    Args:
        study: A study with at least one trial left.
        on_end: Is given each trial that has ended.
        interrupted: Whether a signal has come.

    Raises:
        KeyboardInterrupt: `interrupted` says so.
        BenchError: No node of the cluster is large enough for a trial.
    """
    sweep, table = study.sweep, study.sweep.table
    trials, left = study.trials(), study.left()
    budget = 60 * table.minutes - study.seconds if table.minutes else math.inf
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    resources = {kind.lower(): amount for kind, amount in reservation(sweep.base).items()}
    trainable = tune.with_parameters(
        SweptTrial,
        base=sweep.base.with_resources(with_workers(sweep.base.resources)),
        store=study.store,
        heartbeat_timeout=table.heartbeat_timeout,
    )
    journal = Journal(study, budget, on_end, interrupted)
    with tempfile.TemporaryDirectory(prefix="bench-sweep-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(trainable, resources),
            tune_config=tune.TuneConfig(
                num_samples=left,
                search_alg=_searcher(study, trials),
                scheduler=_scheduler(study, trials),
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
            # Also for trials that the budget or a signal ended, which resume next time.
            journal.spend()


def _searcher(study: Study, trials: list[StudyTrial]) -> OptunaSearch:
    """Return a searcher that has learned from earlier trials and begins with unfinished ones."""
    base, table = study.sweep.base, study.sweep.table
    past = [trial for trial in trials if trial.ended]
    pending = [trial.params for trial in trials if not trial.ended]
    sampler: optuna.samplers.BaseSampler
    if table.sampler == "random":
        sampler = optuna.samplers.RandomSampler(seed=_seed(base, "sampler"))
        begun = [trial.params for trial in trials]
        pending += [point for point in random_points(study.sweep) if point not in begun]
    else:
        sampler = optuna.samplers.TPESampler(
            seed=_seed(base, f"sampler/{len(past)}"),
            n_startup_trials=max(_MIN_RANDOM_TRIALS, min(_MAX_RANDOM_TRIALS, table.trials // 4)),
            constant_liar=True,
        )
    search = UniquePointSearch(
        distributions(table.domains),
        metric=SCORE,
        mode="min",
        sampler=sampler,
        points_to_evaluate=pending,
    )
    search.exclude(table.domains, [trial.params for trial in past])
    for trial in past:
        value = score(trial, base.recipe.select) if trial.scores else math.inf
        search.add_evaluated_point(trial.params, value, error=trial.state == "failed")
    return search


class UniquePointSearch(OptunaSearch):
    """Optuna's suggestions, each point once.

    TPE may suggest a point again. A second trial of it would spend budget without a new result, and
    write into the folder of the first, perhaps while that runs.
    """

    def exclude(self, domains: Mapping[str, Domain], points: list[Any]) -> None:
        """Set the space, and the points in it that are not to be suggested."""
        self._domains, self._points = domains, points

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """Return a new point, or FINISHED where there is none."""
        for _ in range(_MAX_REPEATS):
            point = super().suggest(trial_id)
            if point not in self._points:
                self._points.append(point)
                return point
            self._take_back(trial_id)
        # Few points of a small space are left: take the first of them.
        if math.isinf(math.prod(domain.size for domain in self._domains.values())):
            return Searcher.FINISHED
        every = itertools.product(*(domain.members for domain in self._domains.values()))
        points = (dict(zip(self._domains, values, strict=True)) for values in every)
        rest = next((point for point in points if point not in self._points), None)
        if rest is None:
            return Searcher.FINISHED
        optuna_study: Any = self._ot_study
        optuna_study.enqueue_trial(rest)
        self._points.append(rest)
        return super().suggest(trial_id)

    def _take_back(self, trial_id: str) -> None:
        """Remove the last suggestion, so that a failed trial does not affect the sampler."""
        optuna_study: Any = self._ot_study
        optuna_study.tell(self._ot_trials.pop(trial_id), state=optuna.trial.TrialState.FAIL)


def random_points(sweep: Sweep) -> list[dict[str, Any]]:
    """Return the points of the random sampler, each once, in the order of an unbroken sweep."""
    study = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=_seed(sweep.base, "sampler"))
    )
    space = distributions(sweep.table.domains)
    points: list[dict[str, Any]] = []
    # An interval may hold fewer numbers than there are trials, which only drawing shows.
    for _ in range(_MAX_REPEATS * sweep.max_trials):
        point = study.ask(space).params
        if point not in points:
            points.append(point)
        if len(points) == sweep.max_trials:
            break
    return points


def _seed(base: Training, purpose: str) -> int:
    return base.named_seed(purpose) % 2**32


def _scheduler(study: Study, trials: list[StudyTrial]) -> TrialScheduler:
    """Return the scheduler; ASHA (Li et al., MLSys 2020) is given the scores of ended trials."""
    base, table = study.sweep.base, study.sweep.table
    if table.scheduler == "fifo":
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    validations = base.recipe.validations
    assert validations, "a sweep was opened for a known number"  # noqa: S101
    scheduler = ASHAScheduler(
        time_attr=VALIDATION,
        metric=SCORE,
        mode="min",
        max_t=validations,
        grace_period=min(table.grace_period, validations),
        reduction_factor=table.reduction_factor,
        stop_last_trials=False,
    )
    for trial in trials:
        if trial.ended:
            past: Any = SimpleNamespace(trial_id=trial.key)
            controller: Any = None
            scheduler.on_trial_add(controller, past)
            for number in range(1, len(trial.scores) + 1):
                result = {VALIDATION: number, SCORE: score(trial, base.recipe.select, number)}
                scheduler.on_trial_result(controller, past, result)
    return scheduler
