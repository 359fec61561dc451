"""A suite to its trials: the product, what fits together, keys and named seeds."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.core import registry
from bench.core.components import incompatibility, short_labels
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.hashing import digest

if TYPE_CHECKING:
    from bench.config.suite import Recipe, Resources, Suite, Tuning
    from bench.core.components import Component, Dataset, Loss, Model
    from bench.core.registry import Kind
    from bench.evaluation.protocols import Protocol


@dataclass(frozen=True)
class Trial:
    """One dataset × model × loss × seed under a recipe and a protocol."""

    dataset: Dataset
    model: Model
    loss: Loss
    seed: int
    training: Recipe
    protocol: Protocol
    resources: Resources
    tuning: Tuning | None = None
    """How its parameters were found, where a sweep did; no part of its key."""
    anew: bool = False
    """Whether to train it even where another trial was trained alike; no part of its key."""

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that decides this trial's numbers, as JSON values; its key is their hash."""
        spec = {
            "dataset": self.dataset.spec() | {"fingerprint": self.dataset.fingerprint()},
            "model": self.model.spec(),
            "loss": self.loss.spec(),
            "training": self.training.spec(),
            "protocol": self.protocol.spec(),
            "seed": self.seed,
        }
        # Through JSON, so that it equals what a record gives back (tuples become lists).
        return dict(json.loads(json.dumps(spec)))

    @cached_property
    def key(self) -> str:
        """The hash of the spec, of 16 hexadecimal digits; commit and machine are no part of it."""
        return digest(self.spec)

    @cached_property
    def training_key(self) -> str:
        """The hash of all that decides its weights: trials that share it are trained once."""
        return digest(self.spec | {"dataset": self.dataset.trained_on()})

    @property
    def labels(self) -> dict[str, str]:
        """What boards call the three components."""
        return {
            "dataset": self.dataset.label,
            "model": self.model.label,
            "loss": self.loss.label,
        }

    @property
    def label(self) -> str:
        """What a person calls this trial."""
        tuned = ["tuned"] if self.tuning else []
        return " · ".join([*self.labels.values(), *tuned, f"seed {self.seed}"])

    def named_seed(self, purpose: str) -> int:
        """Return a seed in [0, 2⁶³) for one purpose, so that no two draws share a stream."""
        text = f"{self.seed}/{purpose}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def trials(suite: Suite) -> list[Trial]:
    """Return the suite's grid, all of one seed before the next.

    A partial run so compares everything once before it repeats anything. Raises BenchError on a
    triple that cannot be, unless the suite skips those, and where none is left.
    """
    _check_overlaps(suite)
    found = []
    for seed in suite.seeds:
        plain = [
            (*combination, suite.training, None)
            for combination in itertools.product(suite.datasets, suite.models, suite.losses)
        ]
        for dataset, model, loss, training, tuning in [*plain, *suite.tuned]:
            if reason := incompatibility(dataset, model, loss):
                if suite.skip_incompatible:
                    continue
                raise BenchError(
                    f"suite '{suite.name}': {reason}; take one of them out, "
                    "or set skip_incompatible = true"
                )
            resources, protocol = suite.resources, suite.protocol
            found.append(Trial(dataset, model, loss, seed, training, protocol, resources, tuning))
    if not found:
        raise BenchError(f"suite '{suite.name}': no dataset, model and loss of it fit together")
    known: dict[str, Trial] = {}
    for trial in found:
        if trial.key in known:
            raise BenchError(
                f"suite '{suite.name}': [[suite.{suite.name}.tuned]] {trial.label} is a trial that "
                "the suite has already; take that table out"
            )
        known[trial.key] = trial
    return found


def _check_overlaps(suite: Suite) -> None:
    """Raise BenchError where two datasets of a suite share test samples."""
    names = {dataset.name for dataset in suite.datasets}
    for dataset in suite.datasets:
        if twice := names.intersection(dataset.overlaps):
            raise BenchError(
                f"suite '{suite.name}': '{dataset.name}' and '{min(twice)}' share test samples, "
                "which would count twice; take one of them out"
            )


def widened(suite: Suite, *, models: Sequence[str], losses: Sequence[str]) -> Suite:
    """Return `suite` with every model and loss, by its defaults, that a glob names and it does not.

    So a new loss is tried under a suite without being listed there. What does not fit is left out.
    Raises BenchError (nothing selected) where a name without wildcards then fits nothing.
    """
    more_models = _unlisted("model", suite.models, models)
    more_losses = _unlisted("loss", suite.losses, losses)
    if not (more_models or more_losses):
        return suite
    found = replace(
        suite,
        models=(*suite.models, *more_models),
        losses=(*suite.losses, *more_losses),
        skip_incompatible=True,
    )
    for loss in more_losses:
        reasons = [
            incompatibility(dataset, model, loss)
            for dataset, model in itertools.product(found.datasets, found.models)
        ]
        if loss.name in losses and all(reasons):
            raise BenchError(f"suite '{suite.name}': {reasons[0]}", Exit.NOTHING)
    return found


def _unlisted(kind: Kind, listed: Sequence[Component], globs: Sequence[str]) -> list[Any]:
    """Return the components that globs name and none of `listed` is called, by their defaults."""
    if not globs:
        return []
    known = registry.everything(kind)
    there: list[Component | type[Component]] = [*listed, *known.values()]
    for glob in globs:
        if not any(_matches(one, glob) for one in there):
            raise BenchError(f"no {kind} matches '{glob}'{did_you_mean(glob, known)}", Exit.NOTHING)
    names = {component.name for component in listed}
    return [
        registry.make(kind, name, {})
        for name, component in known.items()
        if name not in names
        and any(fnmatchcase(name, glob) for glob in globs)
        and "required" not in component.defaults().values()
    ]


def names(trials: Sequence[Trial]) -> dict[str, str]:
    """Map each key to the shortest name that tells its trial from the others here."""
    datasets = short_labels(trial.dataset.label for trial in trials)
    models = short_labels(trial.model.label for trial in trials)
    losses = short_labels(trial.loss.label for trial in trials)
    return {
        trial.key: " · ".join(
            [
                *([datasets[trial.dataset.label]] if len(datasets) > 1 else []),
                models[trial.model.label],
                losses[trial.loss.label],
                *(["tuned"] if trial.tuning else []),
                f"seed {trial.seed}",
            ]
        )
        for trial in trials
    }


def select(
    trials: Sequence[Trial],
    *,
    datasets: Sequence[str] = (),
    models: Sequence[str] = (),
    losses: Sequence[str] = (),
    seeds: Collection[int] | None = None,
    limit: int | None = None,
) -> list[Trial]:
    """Return the trials whose names or labels match a glob of each kind that has globs.

    Raises BenchError (nothing selected) with the glob or the seed that matches no trial at all.
    """
    chosen = list(trials)
    for kind, globs in (("dataset", datasets), ("model", models), ("loss", losses)):
        for glob in globs:
            if not any(_matches(getattr(trial, kind), glob) for trial in trials):
                names = {getattr(trial, kind).name for trial in trials}
                raise BenchError(
                    f"no {kind} of the suite matches '{glob}'{did_you_mean(glob, names)}",
                    Exit.NOTHING,
                )
        if globs:
            chosen = [t for t in chosen if any(_matches(getattr(t, kind), glob) for glob in globs)]
    if seeds is not None:
        if strange := set(seeds) - {trial.seed for trial in trials}:
            known = ", ".join(map(str, sorted({trial.seed for trial in trials})))
            raise BenchError(
                f"seed {min(strange)} is not of the suite, whose seeds are {known}; "
                "add it to 'seeds' in bench.toml",
                Exit.NOTHING,
            )
        chosen = [trial for trial in chosen if trial.seed in seeds]
    if not chosen:
        raise BenchError("no trial of the suite matches all of that at once", Exit.NOTHING)
    return chosen[:limit]


def _matches(component: Component | type[Component], glob: str) -> bool:
    shown = component.name if isinstance(component, type) else component.label
    return fnmatchcase(component.name, glob) or fnmatchcase(shown, glob)
