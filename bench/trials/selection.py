"""The selection of some trials of a suite, by globs, seeds and number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from bench.config.assemble import with_ad_hoc
from bench.config.suite import RecognizerEntry, TrainedEntry
from bench.core import registry
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.plugin_files import with_how_to_add
from bench.trials import grid
from bench.trials.specs import Trial

if TYPE_CHECKING:
    from bench.config.suite import Entry, Suite
    from bench.core.components import Component

Axis = Literal["test", "model", "loss", "decoder"]


@dataclass(frozen=True)
class Selection:
    """Which trials of a suite are asked for, by globs; empty selects everything.

    Globs of models, losses or decoders select among trained entries, globs of recognizers among the
    others; a trial without such a part is not selected.

    Attributes:
        tests: Globs of test sets.
        models: Globs of models.
        losses: Globs of losses.
        decoders: Globs of decoders.
        seeds: Seeds; None: all.
        limit: How many trials, the first ones; None: all.
        recognizers: Globs of recognizers from outside.
    """

    tests: Sequence[str] = ()
    models: Sequence[str] = ()
    losses: Sequence[str] = ()
    decoders: Sequence[str] = ()
    seeds: Collection[int] | None = None
    limit: int | None = None
    recognizers: Sequence[str] = ()

    def unavailable(self, suite: Suite) -> list[str]:
        """Return which selected recognizers cannot be used here, and why."""
        return [
            f"{entry.name}: {reason}"
            for entry, reason in grid.unavailable(suite).items()
            if self._has(entry)
        ]

    def select(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials that match a glob of each kind that has globs.

        They keep the evaluations whose test set matches `tests`.

        Raises:
            BenchError: (nothing selected) A glob or a seed matches no trial, or no trial matches
                all.
        """
        trained = [trial for trial in trials if isinstance(trial.entry, TrainedEntry)]
        others = [trial.entry for trial in trials if isinstance(trial.entry, RecognizerEntry)]
        for axis, globs in self._axes.items():
            _require_matches(axis, [getattr(trial.entry, axis) for trial in trained], globs)
        for glob in self.recognizers:
            if not any(_any_matches(e.recognizer, [glob], e.label) for e in others):
                names = {name for e in others for name in (e.recognizer.name, e.label) if name}
                hint = did_you_mean(glob, names)
                raise BenchError(f"no recognizer of the suite matches '{glob}'{hint}", Exit.NOTHING)
        chosen = [trial for trial in trials if self._has(trial.entry)]
        tests = [each.test for trial in trials for each in trial.evaluations.values()]
        _require_matches("test", tests, self.tests)
        if self.tests:
            chosen = [part for trial in chosen if (part := _on(trial, self.tests)).evaluations]
        if self.seeds is not None:
            chosen = _of_seeds(trials, chosen, self.seeds)
        if not chosen:
            raise BenchError(
                "no trial of the suite matches all of these options at once; leave one of them out",
                Exit.NOTHING,
            )
        return chosen[: self.limit]

    @property
    def _axes(self) -> dict[Axis, Sequence[str]]:
        """Globs of the parts of trained entries."""
        return {"model": self.models, "loss": self.losses, "decoder": self.decoders}

    def _has(self, entry: Entry) -> bool:
        """Return whether globs select an entry; without any, each entry is selected."""
        of_trained = any(self._axes.values())
        if isinstance(entry, RecognizerEntry):
            if not self.recognizers:
                return not of_trained
            return _any_matches(entry.recognizer, self.recognizers, entry.label)
        if self.recognizers and not of_trained:
            return False
        return all(_any_matches(getattr(entry, axis), globs) for axis, globs in self._axes.items())


def widened(suite: Suite, selection: Selection) -> Suite:
    """Return `suite` with entries for models and losses that globs match and that it does not list.

    They have default parameters, so that a new loss can be tried with a suite that does not list
    it. Combinations of a model and a loss that do not fit are left out.

    Raises:
        BenchError: (nothing selected) A loss named without wildcards fits no model.
    """
    listed = {entry.model for entry in suite.entries}, {entry.loss for entry in suite.entries}
    more_models = _unlisted("model", listed[0], selection.models)
    more_losses = _unlisted("loss", listed[1], selection.losses)
    if not (more_models or more_losses):
        return suite
    wide = with_ad_hoc(suite, more_models, more_losses)
    added = wide.entries[len(suite.entries) :]
    for loss in more_losses:
        if loss.name in selection.losses and all(entry.loss != loss for entry in added):
            raise BenchError(
                f"suite '{suite.name}': no model of it fits loss '{loss.name}'; name a model that "
                "does with --model",
                Exit.NOTHING,
            )
    return wide


def _unlisted(
    kind: Literal["model", "loss"], listed: Collection[Component], globs: Sequence[str]
) -> list[Any]:
    """Return the components that globs match and that are not listed, with default parameters."""
    if not globs:
        return []
    existing = registry.everything(kind)
    candidates: list[Component | type[Component]] = [*listed, *existing.values()]
    for glob in globs:
        if not any(_matches(candidate, glob) for candidate in candidates):
            hint = did_you_mean(glob, existing)
            sentence = with_how_to_add(f"no {kind} matches '{glob}'{hint}", registry.faults(kind))
            raise BenchError(sentence, Exit.NOTHING)
    names = {component.name for component in listed}
    return [
        registry.make(kind, name, {})
        for name, component in existing.items()
        if name not in names
        and any(fnmatchcase(name, glob) for glob in globs)
        and "required" not in component.defaults().values()
    ]


def _on(trial: Trial, tests: Sequence[str]) -> Trial:
    evaluations = {
        name: evaluation
        for name, evaluation in trial.evaluations.items()
        if any(_matches(evaluation.test, glob) for glob in tests)
    }
    return Trial(trial.entry, trial.seed, evaluations)


def _of_seeds(trials: Sequence[Trial], chosen: list[Trial], seeds: Collection[int]) -> list[Trial]:
    trained = {trial.seed for trial in trials if isinstance(trial.entry, TrainedEntry)}
    if not trained:
        raise BenchError(
            "the suite trains nothing, so it has no seeds; leave out --seeds", Exit.NOTHING
        )
    if unknown := set(seeds) - trained:
        existing = ", ".join(map(str, sorted(trained)))
        raise BenchError(
            f"seed {min(unknown)} is not a seed of the suite, whose seeds are {existing}; "
            "add it to 'seeds' in bench.toml",
            Exit.NOTHING,
        )
    return [
        trial for trial in chosen if trial.seed in seeds or isinstance(trial.entry, RecognizerEntry)
    ]


def _require_matches(axis: Axis, parts: Sequence[Component], globs: Sequence[str]) -> None:
    for glob in globs:
        if not any(_matches(part, glob) for part in parts):
            names = {part.name for part in parts}
            hint = did_you_mean(glob, names)
            raise BenchError(f"no {axis} of the suite matches '{glob}'{hint}", Exit.NOTHING)


def _any_matches(component: Component, globs: Sequence[str], label: str = "") -> bool:
    """Return whether a component or its label on a board matches a glob, or there are no globs."""
    return not globs or any(_matches(component, glob) or fnmatchcase(label, glob) for glob in globs)


def _matches(component: Component | type[Component], glob: str) -> bool:
    label = component.name if isinstance(component, type) else component.label
    return fnmatchcase(component.name, glob) or fnmatchcase(label, glob)
