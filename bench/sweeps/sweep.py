"""A sweep: one training of a suite, and the parameters that are searched."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.config.suite import TrainedEntry
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.hashing import digest
from bench.core.schema import fill
from bench.trials import grid
from bench.trials.selection import Selection

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.config.sweep_space import Domain, SweepTable
    from bench.trials.specs import Training

Params = Mapping[str, Any]
"""Values by path, such as `recipe.learning_rate`."""
_MAX_CORNERS = 1024
_SEARCH_KEYS = ("sampler", "scheduler", "grace_period", "reduction_factor")


@dataclass(frozen=True)
class Sweep:
    """A search for the parameters of one training, without test sets, protocol and decoders.

    Attributes:
        suite: The suite that has the sweep.
        table: Its space, budget and method.
        entry: The first entry of the suite with this training.
        base: The training whose parameters are changed.
    """

    suite: Suite
    table: SweepTable
    entry: TrainedEntry
    base: Training

    @cached_property
    def key(self) -> str:
        """The hash of the training, the space and the method; the budget is not part of it."""
        return digest(
            {
                "base": self.base.spec,
                "space": {path: asdict(domain) for path, domain in self.table.domains.items()},
                **{name: getattr(self.table, name) for name in _SEARCH_KEYS},
            }
        )

    @property
    def max_trials(self) -> int:
        """The number of trials: the budget, or the whole space where that is smaller."""
        size = math.prod(domain.size for domain in self.table.domains.values())
        return int(min(self.table.trials, size))

    def training(self, params: Params) -> Training:
        """Return the training with these parameters."""
        return with_params(self.base, params)


def sweep_of(suite: Suite, **globs: str | None) -> Sweep:
    """Return the sweep of `suite` over the one training that its table and `globs` leave.

    Args:
        suite: A suite with a sweep.
        globs: `train`, `model` or `loss`, in place of those of the table.

    Raises:
        BenchError: The suite has no sweep, no training or several are left, or a value of the space
            is not possible.
    """
    table = suite.sweep
    if table is None:
        raise BenchError(
            f"suite '{suite.name}' has no table [suite.{suite.name}.sweep]; "
            "write one, see `bench docs sweeps`"
        )
    given: dict[str, Any] = {kind: glob for kind, glob in globs.items() if glob}
    table = replace(table, **given)
    candidates: dict[str, tuple[TrainedEntry, Training]] = {}
    for entry, training in _candidates(suite, table):
        candidates.setdefault(training.key, (entry, training))
    if len(candidates) > 1:
        trainings = [training for _, training in candidates.values()]
        labels = "; ".join(" · ".join(training.labels.values()) for training in trainings)
        raise BenchError(
            f"suite '{suite.name}': a sweep searches the parameters of one training, and "
            f"{len(candidates)} are left ({labels}); name one with train, model and loss in "
            f"[suite.{suite.name}.sweep], or with --train, --model and --loss"
        )
    [(entry, base)] = candidates.values()
    if base.recipe.validations is None:
        raise BenchError(
            f"suite '{suite.name}': a sweep compares trials after the same number of validations, "
            "which this recipe leaves open; give its length and validate_every in the same unit"
        )
    if base.resources.devices > 1:
        raise BenchError(
            f"suite '{suite.name}': devices = {base.resources.devices}, and a trial of a sweep "
            "trains on one device; set devices = 1 in a suite of its own for the sweep"
        )
    _require_possible(suite.name, base, table.domains)
    return Sweep(suite, table, entry, base)


def _candidates(suite: Suite, table: SweepTable) -> list[tuple[TrainedEntry, Training]]:
    """Return the trainings that the globs of `table` leave, with the entry of each.

    Tuned entries are results of sweeps and are not searched.
    """
    seed = max(suite.seeds) + 1 if table.seed is None else table.seed
    entries = tuple(entry for entry in suite.entries if entry.tuning is None)
    selection = Selection(models=[table.model], losses=[table.loss])
    trials = selection.select(
        grid.trials(replace(suite, seeds=(seed,), entries=entries, recognizers=()))
    )
    pairs = [
        (trial.entry, training)
        for trial in trials
        if isinstance(trial.entry, TrainedEntry)
        for training in trial.trainings
    ]
    chosen = [(entry, each) for entry, each in pairs if _trains_on(each, table.train)]
    if not chosen:
        names = {data.name for _, training in pairs for data in training.data}
        hint = did_you_mean(table.train, names)
        raise BenchError(
            f"suite '{suite.name}': no training data match '{table.train}'{hint}", Exit.NOTHING
        )
    return chosen


def _trains_on(training: Training, glob: str) -> bool:
    names = {training.labels["data"]}.union(*((each.name, each.label) for each in training.data))
    return any(fnmatchcase(name, glob) for name in names)


def _require_possible(suite: str, base: Training, domains: Mapping[str, Domain]) -> None:
    """Raise BenchError if a value is not possible, alone or with the others' extremes."""
    alone = ({path: value} for path, domain in domains.items() for value in domain.extremes)
    extremes = itertools.product(*(domain.extremes for domain in domains.values()))
    corners = (dict(zip(domains, values, strict=True)) for values in extremes)
    for params in itertools.chain(alone, itertools.islice(corners, _MAX_CORNERS)):
        try:
            with_params(base, params)
        except BenchError as error:
            where = f"suite '{suite}': [suite.{suite}.sweep.space] {', '.join(params)}"
            raise BenchError(f"{where}: {error}") from None


def with_params(training: Training, params: Params) -> Training:
    """Return `training` with some parameters set.

    Args:
        training: What is changed.
        params: Values by path: a part of the training (recipe, model, loss or input), a dot, and a
            parameter of that part.

    Raises:
        SchemaError: A parameter is unknown, or its value has a wrong type or range.
        BenchError: Values contradict each other.
    """
    by_part: dict[str, dict[str, Any]] = {}
    for path, value in params.items():
        part, _, name = path.partition(".")
        by_part.setdefault(part, {})[name] = value
    changed: dict[str, Any] = {}
    for part, values in by_part.items():
        before = getattr(training, part)
        # Not by `asdict`, which would make a table of a component within.
        current = {field.name: getattr(before, field.name) for field in fields(before)}
        changed[part] = fill(type(before), current | values)
    return replace(training, **changed)
