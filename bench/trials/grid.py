"""The trials of a suite, and the selection of some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from bench.config.assemble import with_ad_hoc
from bench.config.suite import RecognizerEntry, TrainedEntry
from bench.core import registry
from bench.core.components import short_labels
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.plugin_files import with_how_to_add
from bench.core.printable import quoted
from bench.trials.specs import (
    Evaluation,
    RecognizerEvaluation,
    Task,
    TrainedEvaluation,
    Training,
    Trial,
)

if TYPE_CHECKING:
    from bench.config.suite import Column, Entry, Suite
    from bench.core.components import Component

Axis = Literal["test", "model", "loss", "decoder", "recognizer"]


def trials(suite: Suite) -> list[Trial]:
    """Return one trial per entry and seed, all of one seed before the next.

    So an interrupted run has compared every entry once before it repeats any. Recognizers that are
    not available on this machine (see `unavailable`) have no trial.

    Raises:
        NotPreparedError: A data set of the suite is not prepared.
        BenchError: Two entries are the same trial, or no recognizer of the suite is available here.
    """
    grid = unkeyed_trials(suite)
    check_distinct(suite, grid)
    return grid


def unkeyed_trials(suite: Suite) -> list[Trial]:
    """Return the trials of a suite without computing keys, for which data have to be prepared.

    Raises:
        BenchError: No recognizer of the suite is available here, or two rows have the same name.
    """
    missing = unavailable(suite)
    grid = [_of_recognizer(suite, each) for each in suite.recognizers if each not in missing]
    grid += [
        Trial(entry, seed, {c.name: _evaluation(suite, entry, c, seed) for c in suite.columns})
        for seed in suite.seeds
        for entry in suite.entries
    ]
    if missing and not grid:
        reasons = "; ".join(f"{row_label(entry)}: {why}" for entry, why in missing.items())
        raise BenchError(f"suite '{suite.name}': no recognizer of it can be used here: {reasons}")
    _check_names(suite)
    return grid


def check_distinct(suite: Suite, grid: Iterable[Trial]) -> None:
    """Raise BenchError if two trials of a suite have the same keys."""
    labels: dict[tuple[str, ...], str] = {}
    for trial in grid:
        keys = tuple(evaluation.key for evaluation in trial.evaluations.values())
        label = row_label(trial.entry)
        if keys in labels:
            raise BenchError(
                f"suite '{suite.name}': '{label}' and '{labels[keys]}' are the same trial; "
                "remove one of them"
            )
        labels[keys] = label


def _check_names(suite: Suite) -> None:
    """Raise BenchError if the row of a recognizer has the same name as another row."""
    names = row_labels(suite.rows)
    for entry, name in zip(suite.rows, names, strict=True):
        if isinstance(entry, RecognizerEntry) and names.count(name) > 1:
            raise BenchError(
                f"suite '{suite.name}': two rows are called {quoted(name)}; give one of them "
                "another 'label'"
            )


def unavailable(suite: Suite) -> dict[RecognizerEntry, str]:
    """Return the recognizers of `suite` that are not available on this machine, with reasons."""
    reasons = {}
    for entry in suite.recognizers:
        try:
            entry.recognizer.spec()
        except BenchError as error:
            reasons[entry] = str(error)
    return reasons


def _of_recognizer(suite: Suite, entry: RecognizerEntry) -> Trial:
    resources = replace(suite.resources, devices=1)
    return Trial(
        entry,
        RecognizerEvaluation.seed,
        {
            column.name: RecognizerEvaluation(
                column.test, suite.protocol, entry.recognizer, resources
            )
            for column in suite.columns
        },
    )


def _evaluation(suite: Suite, entry: TrainedEntry, column: Column, seed: int) -> Evaluation:
    training = Training(
        data=entry.train or column.train,
        input=entry.input,
        model=entry.model,
        loss=entry.loss,
        recipe=entry.recipe,
        seed=seed,
        resources=suite.resources,
        alphabet=suite.alphabet,
    )
    return TrainedEvaluation(column.test, suite.protocol, training, entry.decoder)


def row_label(entry: Entry) -> str:
    """Return the label of an entry by itself, without regard to other entries."""
    if isinstance(entry, RecognizerEntry):
        return entry.name
    reads = entry.decoder_label or entry.decoder.label
    decoder = "" if reads == "greedy" else f" · {reads}"
    tuned = ", tuned" if entry.tuning else ""
    loss = entry.loss_label or entry.loss.label
    return f"{entry.label or entry.model.label} · {loss}{decoder}{tuned}"


def row_labels(entries: Sequence[Entry]) -> list[str]:
    """Return the shortest labels that distinguish these entries, in their order.

    They have parameters if two entries share a component's name, and, if that is not enough, the
    differences between inputs, recipes and training data.
    """
    trained = [entry for entry in entries if isinstance(entry, TrainedEntry)]
    others = [entry for entry in entries if isinstance(entry, RecognizerEntry)]
    short = short_labels(entry.recognizer.label for entry in others)
    names: dict[Entry, str] = dict(zip(trained, _trained_labels(trained), strict=True))
    names |= {entry: entry.label or short[entry.recognizer.label] for entry in others}
    return [names[entry] for entry in entries]


def _trained_labels(entries: Sequence[TrainedEntry]) -> list[str]:
    models = short_labels(entry.model.label for entry in entries)
    losses = short_labels(entry.loss.label for entry in entries)
    decoders = short_labels(entry.decoder.label for entry in entries)
    names = [
        " · ".join(
            [
                entry.label or models[entry.model.label],
                entry.loss_label or losses[entry.loss.label],
                *(
                    [entry.decoder_label or decoders[entry.decoder.label]]
                    if len(decoders) > 1
                    else []
                ),
                *(["tuned"] if entry.tuning else []),
            ]
        )
        for entry in entries
    ]
    inputs = [entry.input.label for entry in entries]
    recipes = [", ".join(f"{k} = {v}" for k, v in e.recipe.changed().items()) for e in entries]
    train = [" + ".join(data.label for data in entry.train) for entry in entries]
    for details in (inputs, recipes, train):
        names = _disambiguated(names, details)
    return names


def _disambiguated(names: Sequence[str], details: Sequence[str]) -> list[str]:
    """Return `names`; where equal names have different details, with the detail in parentheses."""
    groups: dict[str, set[str]] = {}
    for name, detail in zip(names, details, strict=True):
        groups.setdefault(name, set()).add(detail)
    return [
        f"{name} ({detail})" if len(groups[name]) > 1 and detail else name
        for name, detail in zip(names, details, strict=True)
    ]


def training_labels(entries: Sequence[Entry]) -> dict[Entry, str]:
    """Return the shortest labels of the trainings of these entries; they name no decoder."""
    trained = [entry for entry in entries if isinstance(entry, TrainedEntry)]
    alike = [replace(entry, decoder=trained[0].decoder) for entry in trained]
    return dict(zip(trained, _trained_labels(alike), strict=True))


def tasks(chosen: Iterable[Trial]) -> list[Task]:
    """Return the tasks of several trials, each once: all trainings before any evaluation."""
    unique = {task.key: task for trial in chosen for task in trial.tasks}
    return sorted(unique.values(), key=lambda task: task.kind == "evaluation")


def task_names(chosen: Sequence[Trial]) -> dict[str, str]:
    """Return the shortest name of each task among these trials, by its key."""
    entries = [*dict.fromkeys(trial.entry for trial in chosen)]
    labels = dict(zip(entries, row_labels(entries), strict=True))
    trained = training_labels(entries)
    names: dict[str, str] = {}
    for trial in chosen:
        label, seed = labels[trial.entry], f"seed {trial.seed}"
        for column, evaluation in trial.evaluations.items():
            training = evaluation.training
            if training is None:
                names.setdefault(evaluation.key, f"{label} on {column}")
                continue
            several = len(trial.trainings) > 1
            data = f" · {training.labels['data']}" if several else ""
            names.setdefault(training.key, f"{trained[trial.entry]}{data} · {seed}")
            names.setdefault(evaluation.key, f"{label} on {column} · {seed}")
    return names


def widened(suite: Suite, *, models: Sequence[str], losses: Sequence[str]) -> Suite:
    """Return `suite` with entries for models and losses that globs match and that it does not list.

    They have default parameters, so that a new loss can be tried with a suite that does not list
    it. Combinations of a model and a loss that do not fit are left out.

    Raises:
        BenchError: (nothing selected) A loss named without wildcards fits no model.
    """
    listed = {entry.model for entry in suite.entries}, {entry.loss for entry in suite.entries}
    more_models = _unlisted("model", listed[0], models)
    more_losses = _unlisted("loss", listed[1], losses)
    if not (more_models or more_losses):
        return suite
    wide = with_ad_hoc(suite, more_models, more_losses)
    added = wide.entries[len(suite.entries) :]
    for loss in more_losses:
        if loss.name in losses and all(entry.loss != loss for entry in added):
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


def select(
    grid: Sequence[Trial],
    *,
    tests: Sequence[str] = (),
    models: Sequence[str] = (),
    losses: Sequence[str] = (),
    decoders: Sequence[str] = (),
    recognizers: Sequence[str] = (),
    seeds: Collection[int] | None = None,
    limit: int | None = None,
) -> list[Trial]:
    """Return the trials that match a glob of each option that has globs.

    Globs of models, losses or decoders select among trained entries, globs of recognizers among the
    others; a trial without such a part is not selected. Selected trials keep the evaluations whose
    test set matches `tests`.

    Raises:
        BenchError: (nothing selected) A glob or a seed matches no trial, or no trial matches all.
    """
    axes: dict[Axis, Sequence[str]] = {"model": models, "loss": losses, "decoder": decoders}
    trained = [trial for trial in grid if isinstance(trial.entry, TrainedEntry)]
    others = [trial.entry for trial in grid if isinstance(trial.entry, RecognizerEntry)]
    for axis, globs in axes.items():
        _require_matches(axis, [getattr(trial.entry, axis) for trial in trained], globs)
    for glob in recognizers:
        if not any(_any_matches(e.recognizer, [glob], e.label) for e in others):
            names = {name for e in others for name in (e.recognizer.name, e.label) if name}
            hint = did_you_mean(glob, names)
            raise BenchError(f"no recognizer of the suite matches '{glob}'{hint}", Exit.NOTHING)
    chosen = [trial for trial in grid if is_selected(trial.entry, axes, recognizers)]
    _require_matches("test", [e.test for t in grid for e in t.evaluations.values()], tests)
    if tests:
        chosen = [part for trial in chosen if (part := _on(trial, tests)).evaluations]
    if seeds is not None:
        chosen = _of_seeds(grid, chosen, seeds)
    if not chosen:
        raise BenchError(
            "no trial of the suite matches all of these options at once; leave one of them out",
            Exit.NOTHING,
        )
    return chosen[:limit]


def is_selected(
    entry: Entry, axes: Mapping[Axis, Sequence[str]], recognizers: Sequence[str]
) -> bool:
    """Return whether globs select an entry; without any, each entry is selected.

    Args:
        entry: The entry.
        axes: Globs of the parts of trained entries.
        recognizers: Globs of recognizers from outside.
    """
    of_trained = any(axes.values())
    if isinstance(entry, RecognizerEntry):
        if not recognizers:
            return not of_trained
        return _any_matches(entry.recognizer, recognizers, entry.label)
    if recognizers and not of_trained:
        return False
    return all(_any_matches(getattr(entry, axis), globs) for axis, globs in axes.items())


def _on(trial: Trial, tests: Sequence[str]) -> Trial:
    evaluations = {
        name: evaluation
        for name, evaluation in trial.evaluations.items()
        if any(_matches(evaluation.test, glob) for glob in tests)
    }
    return Trial(trial.entry, trial.seed, evaluations)


def _of_seeds(grid: Sequence[Trial], chosen: list[Trial], seeds: Collection[int]) -> list[Trial]:
    trained = {trial.seed for trial in grid if isinstance(trial.entry, TrainedEntry)}
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
