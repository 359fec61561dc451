"""The notes below the tables of a board: how to read them, and what they leave out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET

from bench.core.components import short_labels
from bench.leaderboards.board import TO_DO
from bench.leaderboards.formats.columns import NO_VALUE, SHARED_GPU_MARK, TEST_SEEN, profiled_on_gpu

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardColumn, Row

_MAX_CHARACTERS = 20
_SEVERAL = 2


def board_notes(board: Board) -> list[str]:
    """Return the paragraphs below the tables."""
    paragraphs = [
        *_entry_notes(board),
        *_origin_notes(board),
        *_tuning_notes(board),
        *map(_test_set_note, board.columns),
        *_rank_notes(board),
        *_missing_notes(board),
        *_hardware_notes(board),
        *_accepted_notes(board),
        *_gpu_cost_notes(board),
        *_latency_notes(board),
    ]
    if any(revision.endswith("+") for row in board.rows for revision in row.revisions):
        paragraphs.append("A + after a commit: the code had uncommitted changes.")
    return paragraphs


def _entry_notes(board: Board) -> list[str]:
    """Return how the rows differ in parameters, inputs, recipes and training data."""
    rows = [row for row in board.rows if row.origin == "trained"]
    if not rows:
        return []
    parts = [label for row in rows for label in (row.model, row.loss, row.decoder)]
    labels = [_code(label) for label in dict.fromkeys(parts) if "(" in label]
    paragraphs = [f"Parameters off their defaults: {', '.join(labels)}."] if labels else []
    only = len(rows) == len(board.rows)
    all_entries = "all entries" if only else "all entries trained here"
    every = "All entries are" if only else "All entries trained here are"
    inputs = _rows_by_value(rows, lambda row: row.input)
    if len(inputs) == 1:
        paragraphs.append(f"Input of {all_entries}: {next(iter(inputs))}.")
    elif inputs:
        paragraphs.append(f"Inputs: {_grouped_text({f'{k}': v for k, v in inputs.items()})}.")
    varying = _varying_keys(rows)
    if varying:
        recipes = _rows_by_value(rows, lambda row: _recipe_text(row, varying))
        paragraphs.append(f"Recipes differ: {_grouped_text(recipes)}.")
    trained = _rows_by_value(rows, lambda row: ", and on ".join(row.train or []))
    if len(trained) == 1:
        paragraphs.append(f"{every} trained on {next(iter(trained))}.")
    elif trained:
        paragraphs.append(f"Training data: {_grouped_text(trained)}.")
    return paragraphs


def _origin_notes(board: Board) -> list[str]:
    """Return the origin, training data and remarks of rows that bench does not train."""
    rows = [row for row in board.rows if row.origin != "trained"]
    if not rows:
        return []
    paragraphs = [
        (
            "origin `trained`: trained by bench on the data named here; `pretrained`: trained by "
            "others, run by bench; `predictions`: trained and run by others, scored by bench. Rows "
            "of others have one run, so their intervals are over samples alone."
        ),
        (
            f"{TEST_SEEN} `not excluded`: the authors do not state their training data, or these "
            "include a data set with the name of a test set, or one that shares samples with it."
        ),
    ]
    recognizers = [f"{row.label}: {_code(row.model)}" for row in rows if row.label != row.model]
    if recognizers:
        paragraphs.append(f"Recognizers of these rows: {'; '.join(recognizers)}.")
    stated = "; ".join(
        f"{row.label}: {'not stated' if row.train is None else ', '.join(row.train) or 'none'}"
        for row in rows
    )
    paragraphs.append(f"Training data, as their authors state them: {stated}.")
    remarks = [
        f"{row.label}: {', '.join(f'{count:,} {remark}' for remark, count in row.remarks.items())}"
        for row in rows
        if row.remarks
    ]
    if remarks:
        paragraphs.append(f"Unusual readings: {'; '.join(remarks)}.")
    if any(row.price is not None for row in rows):
        paragraphs.append("$ per 1,000: what reading 1,000 samples cost in US dollars.")
    return paragraphs


def _code(text: str) -> str:
    """Return a text as code in Markdown, also if it has backticks."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _varying_keys(rows: Sequence[Row]) -> list[str]:
    """Return the keys of recipes whose values differ between rows."""
    keys = sorted({key for row in rows for key in row.recipe})
    return [
        key
        for key in keys
        if len({json.dumps(row.recipe.get(key), sort_keys=True) for row in rows}) > 1
    ]


def _recipe_text(row: Row, keys: Sequence[str]) -> str:
    values = [
        f"{key} = {json.dumps(row.recipe[key], ensure_ascii=False)}"
        if key in row.recipe
        else f"{key} by default"
        for key in keys
    ]
    return ", ".join(values)


def _rows_by_value(rows: Sequence[Row], value: Callable[[Row], str]) -> dict[str, list[str]]:
    """Group rows by a value; a model's name stands for its rows if all have the same value."""
    models = short_labels(row.model for row in rows)
    by_model: dict[str, set[str]] = {}
    for row in rows:
        by_model.setdefault(row.model, set()).add(value(row))
    groups: dict[str, list[str]] = {}
    for row in rows:
        name = models[row.model] if len(by_model[row.model]) == 1 else row.label
        names = groups.setdefault(value(row), [])
        if name not in names:
            names.append(name)
    return groups


def _grouped_text(groups: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{', '.join(sorted(names))}: {value}" for value, names in groups.items())


def _tuning_notes(board: Board) -> list[str]:
    """Return how much tuning the tuned rows had, because the others had none."""
    tuned = [
        f"{row.label} (best of {row.tuning.trials} trainings, {row.tuning.validations} validations "
        f"in all, by validation error, sampler {row.tuning.sampler}, sweep {row.tuning.sweep})"
        for row in board.rows
        if row.tuning
    ]
    return [f"Tuned: {'; '.join(tuned)}. The other rows were not tuned."] if tuned else []


def _test_set_note(column: BoardColumn) -> str:
    """Return how much of a test set the protocol scored, excluded and dropped."""
    if column.samples is None:
        return f"{column.name}: not evaluated yet."
    parts = ", ".join(f"{count:,} {reason}" for reason, count in column.excluded.items())
    label = "" if column.label == column.name else f" ({_code(column.label)})"
    sentence = (
        f"{column.name}{label}: {column.samples:,} samples scored; excluded: {parts or 'none'}"
    )
    if not column.dropped:
        return f"{sentence}."
    ordered = sorted(column.dropped.items(), key=lambda item: (-item[1], item[0]))
    characters = " ".join(
        f"{_quoted(character)} {count:,}" for character, count in ordered[:_MAX_CHARACTERS]
    )
    more = len(ordered) - _MAX_CHARACTERS
    rest = f" and {more} other characters" if more > 0 else ""
    total = sum(column.dropped.values())
    return (
        f"{sentence}; characters the protocol dropped from transcripts: {total:,} "
        f"({characters}{rest})."
    )


def _quoted(character: str) -> str:
    return f'"{character}"' if "'" in character else f"'{character}'"


def score_notes(board: Board) -> list[str]:
    """Return the paragraphs that explain scores, averages and ranks."""
    if not any(row.seeds for row in board.rows):
        return []
    seeds = ", ".join(map(str, board.seeds))
    paragraphs = [
        (
            f"Scores: mean ± standard deviation over the seeds {seeds}; in brackets the 95 % "
            "interval over samples and seeds together. Rows of rank 1–2 may have rank 1 or 2: all "
            "pairs of rows are compared together at 5 %."
        )
    ]
    if len(board.columns) >= _SEVERAL:
        ranking = "average" if board.average == "weighted" else "mean"
        paragraphs.append(
            "`average`: test sets weighted by their scored samples; `mean`: all test sets with the "
            f"same weight. Ranks are by the {ranking} of {board.ranking_metric.title}. A row that "
            "lacks a test set, or a seed on one, has neither average nor rank. `one set left out`: "
            "the best and the worst rank when any one test set is left out of the average."
        )
    return paragraphs


def _rank_notes(board: Board) -> list[str]:
    """Return why rank intervals need not rise from row to row."""
    if not any(row.seeds for row in board.rows):
        return []
    return [
        (
            "A row ranks below those that are significantly better and above those that are "
            "significantly worse. The intervals need not rise from row to row: two rows are "
            "compared on the same samples, so a row whose errors or seeds vary more differs "
            "significantly from fewer rows, and its interval may reach past those of its neighbors."
        )
    ]


def _missing_notes(board: Board) -> list[str]:
    """Return why evaluations are missing: each with a fault, and the number of those to do."""
    waiting, wrong = 0, []
    for row in board.rows:
        for missing in row.missing:
            if missing.why == TO_DO:
                waiting += 1
            else:
                where = f"{row.label}, seed {missing.seed} on {missing.column}"
                wrong.append(f"{where}: {missing.why}")
    paragraphs = [f"Missing: {'; '.join(wrong)}."] if wrong else []
    if waiting:
        evaluations = "evaluation is" if waiting == 1 else "evaluations are"
        paragraphs.append(f"{waiting} {evaluations} to do; run: bench run {board.suite}")
    return paragraphs


def _hardware_notes(board: Board) -> list[str]:
    return [f"Trained on {'; '.join(board.hardware)}."] if board.hardware else []


def _accepted_notes(board: Board) -> list[str]:
    """Return which rows others have run, and on which machines."""
    accepted: dict[str, list[str]] = {}
    for row in board.rows:
        others = [result for result in row.seeds if result.run_by]
        people = dict.fromkeys(each for result in others for each in result.run_by or [])
        seeds = ", ".join(str(result.seed) for result in others)
        some = f" (seed{'s' * (len(others) > 1)} {seeds})" if len(others) < len(row.seeds) else ""
        if people:
            accepted.setdefault(" and ".join(people), []).append(f"{row.label}{some}")
    if not accepted:
        return []
    rows = "; ".join(f"{', '.join(rows)}, by {people}" for people, rows in accepted.items())
    return [f"Run by others, and accepted after every prediction was scored again: {rows}."]


def _gpu_cost_notes(board: Board) -> list[str]:
    """Return the explanation of the costs of trainings on GPUs, and of times of a shared GPU."""
    paragraphs = []
    if any(row.gpu_hours is not None for row in board.rows):
        paragraphs.append(
            "GPU h: hours of training and validation times the GPUs reserved, mean over seeds. "
            "training MiB: peak memory of tensors on the GPU, the largest of the seeds."
        )
    if any(row.shared_gpu for row in board.rows):
        paragraphs.append(
            f"{SHARED_GPU_MARK} Less than a whole GPU was reserved, so other tasks may have used "
            "it at the same time: do not compare this time with others."
        )
    return paragraphs


def _latency_notes(board: Board) -> list[str]:
    """Return the explanation of the columns of cost, and why a latency is missing."""
    paragraphs = []
    if board.speed_hardware:
        paragraphs.append(
            "MACs: multiply-accumulates of one sample in matrix products, convolutions and "
            "attention. ms b1, ms b24: median latency of a batch of 1 and of 24, from inputs in "
            f"memory to labels, on {board.speed_hardware}. If the input shapes of test sets "
            "differ, the smallest and the largest value."
        )
        if any(row.speed for row in board.rows if row.origin == "pretrained"):
            paragraphs.append(
                "Latencies of pretrained rows start from the stored bytes of images, so they "
                "include decoding and preparing images; those of trained rows do not."
            )
    if profiled_on_gpu(board):
        paragraphs.append(
            "samples/s: from inputs on the GPU to logits, at the smallest batch that fills it"
            f"{_filling_batches(board)}. MiB b1, MiB b24: peak memory of tensors on the GPU, "
            "including weights and inputs."
        )
    reasons: dict[str, list[str]] = {}
    for row in board.rows:
        for speed in row.speed.values():
            for batch, reason in speed.reasons.items():
                names = reasons.setdefault(reason, [])
                figure = f"b{batch}" if batch.isdecimal() else batch
                if (name := f"{row.label} ({figure})") not in names:
                    names.append(name)
    if reasons:
        causes = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        paragraphs.append(f"No valid latency, shown as {NO_VALUE}: {causes}.")
    if board.other_hardware:
        paragraphs.append(
            f"Latencies on {'; '.join(board.other_hardware)} are left out: a board has those of "
            "one hardware, the one with most valid latencies."
        )
    return paragraphs


def _filling_batches(board: Board) -> str:
    """Return the batch sizes that fill the GPU with their rows in brackets; empty without any."""
    names: dict[str, list[str]] = {}
    for row in board.rows:
        for speed in row.speed.values():
            if speed.filling_batch is not UNSET:
                labels = names.setdefault(str(speed.filling_batch), [])
                if row.label not in labels:
                    labels.append(row.label)
    return f" ({_grouped_text(names)})" if names else ""
