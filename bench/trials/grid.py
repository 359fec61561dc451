"""The trials of a suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.config.suite import RecognizerEntry, TrainedEntry
from bench.core.components import short_labels
from bench.core.errors import BenchError
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
