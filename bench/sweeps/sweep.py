"""What a sweep is: one dataset × model × loss of a suite, and what is searched of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.core.hashing import digest
from bench.core.schema import fill
from bench.trials.grid import Trial, select, trials

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.config.sweep_space import Domain, SweepTable

Params = Mapping[str, Any]
"""Path, as `training.learning_rate`, to value."""
_CORNERS = 1024


@dataclass(frozen=True)
class Sweep:
    """A sweep of one trial: `base`, which `params` of the space change."""

    suite: Suite
    table: SweepTable
    base: Trial

    @cached_property
    def key(self) -> str:
        """The hash of all that decides what is searched; its budget is no part of it."""
        decides = ("sampler", "scheduler", "grace", "reduction")
        return digest(
            {
                "base": self.base.spec,
                "space": {path: asdict(domain) for path, domain in self.table.domains.items()},
                **{name: getattr(self.table, name) for name in decides},
            }
        )

    @property
    def trials(self) -> int:
        """How many trials there are to be: the budget, or the whole space where that is smaller."""
        size = math.prod(domain.size for domain in self.table.domains.values())
        return int(min(self.table.trials, size))

    def trial(self, params: Params) -> Trial:
        """Return the trial of these parameters."""
        return changed(self.base, params)


def of(suite: Suite, **globs: str | None) -> Sweep:
    """Return the sweep of `suite` over the one combination that its table and `globs` leave.

    Raises BenchError where the suite has no sweep, more combinations are left, or a value of the
    space cannot be.
    """
    table = suite.sweep
    if table is None:
        raise BenchError(
            f"suite '{suite.name}' has no table [suite.{suite.name}.sweep]; "
            "write one, see docs/sweeps.md"
        )
    named: dict[str, Any] = {kind: glob for kind, glob in globs.items() if glob}
    table = replace(table, **named)
    seed = max(suite.seeds) + 1 if table.seed is None else table.seed
    grid = trials(replace(suite, seeds=(seed,), tuned=()))
    left = select(grid, datasets=[table.dataset], models=[table.model], losses=[table.loss])
    if len(left) > 1:
        labels = "; ".join(" · ".join(trial.labels.values()) for trial in left)
        raise BenchError(
            f"suite '{suite.name}': a sweep is of one dataset, model and loss, and {len(left)} "
            f"are left ({labels}); name one each with dataset, model and loss in "
            f"[suite.{suite.name}.sweep], or with -d, -m and -l"
        )
    _check(suite.name, left[0], table.domains)
    return Sweep(suite, table, left[0])


def _check(suite: str, base: Trial, domains: Mapping[str, Domain]) -> None:
    """Raise BenchError where a value of the space cannot be, alone or with the others' extremes."""
    alone = ({path: value} for path, domain in domains.items() for value in domain.extremes)
    extremes = itertools.product(*(domain.extremes for domain in domains.values()))
    corners = (dict(zip(domains, values, strict=True)) for values in extremes)
    for params in itertools.chain(alone, itertools.islice(corners, _CORNERS)):
        try:
            changed(base, params)
        except BenchError as error:
            where = f"suite '{suite}': [suite.{suite}.sweep.space] {', '.join(params)}"
            raise BenchError(f"{where}: {error}") from None


def changed(trial: Trial, params: Params) -> Trial:
    """Return `trial` with `params` set. Raises SchemaError where one is unknown or cannot be."""
    by_part: dict[str, dict[str, Any]] = {}
    for path, value in params.items():
        part, _, name = path.partition(".")
        by_part.setdefault(part, {})[name] = value
    parts: dict[str, Any] = {}
    for part, values in by_part.items():
        before = getattr(trial, part)
        parts[part] = fill(type(before), asdict(before) | values)
    return replace(trial, **parts)
