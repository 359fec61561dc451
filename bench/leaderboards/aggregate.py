"""Build the working board of a suite from its records, predictions and profiles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from msgspec import UNSET

from bench.config.suite import TrainedEntry
from bench.core.errors import BenchError
from bench.core.printable import in_one_line
from bench.core.private_paths import without_private_paths
from bench.data import cards
from bench.decoding.families import SEQ2SEQ
from bench.leaderboards.board import (
    TO_DO,
    Board,
    BoardColumn,
    BoardMetric,
    LearningPoint,
    Missing,
    Row,
    SeedResult,
)
from bench.leaderboards.board_identity import board_identity, entry_identity
from bench.leaderboards.ranking import with_scores
from bench.leaderboards.samples import column_counts
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.leaderboards.speed import board_speeds
from bench.trials.grid import row_labels
from bench.trials.store import predictions_of

if TYPE_CHECKING:
    from bench.config.suite import Entry, RecognizerEntry, Suite
    from bench.evaluation.metrics import Metric
    from bench.trials.plan import Plan
    from bench.trials.records import EvaluationRecord, Profile, TrainingRecord
    from bench.trials.specs import Evaluation, Trial
    from bench.trials.store import Store

_DIGITS = 6
"""Decimals of points of learning curves and of ratios of blank frames."""


@dataclass(frozen=True)
class GatheredPredictions:
    """What a board needs of the predictions of all finished evaluations of a suite.

    Attributes:
        counts: The errors counted on each sample, by column (test set).
        faults: Why the predictions of an evaluation cannot be used, by its key.
        blank_ratios: The fraction of frames whose best class is blank, by key of the evaluation.
    """

    counts: dict[str, ColumnCounts] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    blank_ratios: dict[str, float] = field(default_factory=dict)


def gather_predictions(plan: Plan, store: Store) -> GatheredPredictions:
    """Read the predictions of all finished evaluations of a plan."""
    from bench.evaluation.predictions import blank_ratio

    gathered = GatheredPredictions()
    counts, faults = gathered.counts, gathered.faults
    for trial in plan.trials:
        for column, evaluation in trial.evaluations.items():
            record = _evaluation_record(plan, evaluation)
            if record is None:
                continue
            try:
                folder = store.folder(evaluation)
                table = predictions_of(folder, record)
                read = column_counts.counts_of_predictions(table, record, folder)
                counts.setdefault(column, ColumnCounts(read.ids, ids_hash=read.ids_hash)).add(read)
                if _has_blank(trial.entry) and (ratio := blank_ratio(table)) is not None:
                    gathered.blank_ratios[record.key] = round(ratio, _DIGITS)
            except BenchError as error:
                faults[evaluation.key] = str(error)
            except ValueError as error:
                faults[evaluation.key] = (
                    f"{store.folder(evaluation)}: {error} from those of other evaluations of "
                    f"{column}; evaluate again with --force"
                )
    return gathered


def _has_blank(entry: Entry) -> bool:
    """Return whether class 0 of an entry's network is the blank (otherwise it is EOS)."""
    return isinstance(entry, TrainedEntry) and entry.loss.decoder != SEQ2SEQ


def working_board(
    suite: Suite, plan: Plan, gathered: GatheredPredictions, profiles: Sequence[Profile] = ()
) -> Board:
    """Return the board of `suite` as the records give it, with scores and ranks.

    Args:
        suite: The suite.
        plan: The state of all its trials.
        gathered: The counts and faults of their predictions, from `gather_predictions`.
        profiles: All measured profiles; those of other trainings are ignored.
    """
    from bench.evaluation.metrics import metrics_of

    by_entry: dict[Entry, list[Trial]] = {entry: [] for entry in suite.rows}
    for trial in sorted(plan.trials, key=lambda trial: trial.seed):
        by_entry[trial.entry].append(trial)
    # A recognizer that cannot be used here has no trial.
    by_entry = {entry: trials for entry, trials in by_entry.items() if trials}
    labels = row_labels([*by_entry])
    rows = [
        _board_row(entry, label, trials, plan, gathered)
        for (entry, trials), label in zip(by_entry.items(), labels, strict=True)
    ]
    measured = board_speeds(
        {
            (row_index, column): evaluation
            for row_index, trials in enumerate(by_entry.values())
            for column, evaluation in trials[0].evaluations.items()
        },
        profiles,
    )
    for (row_index, column), speed in measured.speeds.items():
        rows[row_index].speed[column] = speed
    return with_scores(
        Board(
            suite=suite.name,
            version=None,
            about=suite.about,
            protocol=f"{suite.protocol.name} v{suite.protocol.version}",
            protocol_about=suite.protocol.about,
            identity=board_identity(suite),
            metrics=[board_metric(metric) for metric in metrics_of(suite.protocol)],
            ranked_by=suite.protocol.ranked_by,
            average=suite.average,
            columns=_board_columns(suite, plan, gathered.counts),
            seeds=sorted(suite.seeds),
            rows=rows,
            speed_hardware=measured.hardware,
            other_hardware=measured.others,
            published=[*suite.published],
        ),
        gathered.counts,
    )


def board_metric(metric: Metric) -> BoardMetric:
    """Return the description of a registered metric that `board.json` keeps."""
    return BoardMetric(
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        max_value=None if math.isinf(metric.max_value) else metric.max_value,
        signed=metric.whole_corpus,
    )


def _board_columns(
    suite: Suite, plan: Plan, counts: Mapping[str, ColumnCounts]
) -> list[BoardColumn]:
    columns = [BoardColumn(column.name, column.test.label) for column in suite.columns]
    for index, column in enumerate(columns):
        for trial in plan.trials:
            record = _evaluation_record(plan, trial.evaluations[column.name])
            if record and column.name in counts and counts[column.name].has(record.key):
                columns[index] = replace(
                    column,
                    samples=record.samples,
                    excluded=dict(sorted(record.excluded.items())),
                    dropped=dict(sorted(record.dropped.items())),
                )
                break
    return columns


def _board_row(
    entry: Entry, label: str, trials: Sequence[Trial], plan: Plan, gathered: GatheredPredictions
) -> Row:
    results = [_seed_result(trial, plan, gathered) for trial in trials]
    row = Row(
        entry=entry_identity(entry),
        label=label,
        origin=entry.origin,
        timed=entry.timed,
        model="",
        loss="",
        decoder="",
        input="",
        train=None,
        may_have_seen=[],
        recipe={},
        tuning=None,
        seeds=[result for result in results if result.evaluations],
        missing=[
            each for trial in trials for each in _missing_evaluations(trial, plan, gathered.faults)
        ],
        parameters=[],
        hardware=[],
        speed={},
    )
    if isinstance(entry, TrainedEntry):
        return _trained_row(row, entry, trials, plan)
    return _recognizer_row(row, entry, trials, plan)


def _trained_row(row: Row, entry: TrainedEntry, trials: Sequence[Trial], plan: Plan) -> Row:
    """Return `row` with the labels and training records of an entry that bench trains."""
    trainings = [training for trial in trials for training in trial.trainings]
    records = [record for each in trainings if (record := _training_record(plan, each.key))]
    return replace(
        row,
        model=entry.model.label,
        loss=entry.loss.label,
        decoder=entry.decoder.label,
        input=entry.input.label,
        train=list(dict.fromkeys(training.labels["data"] for training in trainings)),
        recipe=entry.recipe.changed(),
        tuning=entry.tuning,
        parameters=sorted({record.parameters.total for record in records}),
        hardware=sorted({_training_hardware(record) for record in records}),
    )


def _recognizer_row(row: Row, entry: RecognizerEntry, trials: Sequence[Trial], plan: Plan) -> Row:
    """Return `row` with the label, remarks and price of an entry that bench does not train."""
    evaluations = {name: each for trial in trials for name, each in trial.evaluations.items()}
    records = [
        record for each in evaluations.values() if (record := _evaluation_record(plan, each))
    ]
    remarks = Counter[str]()
    for record in records:
        remarks.update(record.remarks)
    priced = [record for record in records if record.price is not None]
    samples = sum(record.samples + sum(record.excluded.values()) for record in priced)
    price = sum(record.price or 0.0 for record in priced)
    return replace(
        row,
        model=entry.recognizer.label,
        train=None if entry.trained_on is None else [*entry.trained_on],
        may_have_seen=[
            name for name, each in evaluations.items() if may_have_seen(entry, each.test.name)
        ],
        parameters=sorted({each.parameters for each in records if each.parameters is not None}),
        remarks=dict(sorted(remarks.items())),
        price=round(1000 * price / samples, 6) if samples else None,
    )


def may_have_seen(entry: RecognizerEntry, test: str) -> bool:
    """Return whether a test set may have been part of the training data of an entry.

    It may if the authors do not state their training data, or if these include a data set of the
    same name (of any split) or one that shares samples with the test set.
    """
    if entry.trained_on is None:
        return True
    card = cards.find_card(test)
    shared = {overlap.dataset for overlap in card.overlaps} if card else set()
    return not {test, *shared}.isdisjoint(entry.trained_on)


def _seed_result(trial: Trial, plan: Plan, gathered: GatheredPredictions) -> SeedResult:
    evaluations = {
        column: record
        for column, evaluation in trial.evaluations.items()
        if (record := _evaluation_record(plan, evaluation)) and record.key not in gathered.faults
    }
    trainings = {training.key: _training_record(plan, training.key) for training in trial.trainings}
    done = [record for record in trainings.values() if record]
    origins = [record.provenance for record in done]
    origins += [record.provenance for record in evaluations.values()]
    complete = len(done) == len(trainings)
    gpu_seconds = [each.gpu_seconds for each in done if each.gpu_seconds is not None]
    peaks = [each.peak_memory for each in done if each.peak_memory is not None]
    on_gpu = complete and gpu_seconds
    return SeedResult(
        seed=trial.seed,
        trainings=[record.key for record in done],
        evaluations={column: record.key for column, record in evaluations.items()},
        scores={},
        training_seconds=sum(each.timings.training for each in done) if complete and done else None,
        revisions=list(dict.fromkeys(origin.revision for origin in origins)),
        curves={record.key: _learning_curve(record) for record in done},
        blank_ratios={
            column: gathered.blank_ratios[record.key]
            for column, record in evaluations.items()
            if record.key in gathered.blank_ratios
        },
        # Left out on a CPU, where these are not measured.
        gpu_seconds=sum(gpu_seconds) if on_gpu else UNSET,
        shared_gpu=any(each.provenance.shared_gpu for each in done) if on_gpu else UNSET,
        training_memory=max(peaks) if on_gpu and peaks else UNSET,
        run_by=_run_by([*done, *evaluations.values()]) or UNSET,
    )


def _learning_curve(record: TrainingRecord) -> list[LearningPoint]:
    return [
        LearningPoint(*(round(each, _DIGITS) for each in (at.epoch, at.loss, at.validation_ler)))
        for at in record.curve
    ]


def _run_by(records: Sequence[TrainingRecord | EvaluationRecord]) -> list[str]:
    """Return who computed the accepted records of others, and on which machine."""
    return sorted(
        {
            f"{record.accepted.by} on {record.provenance.gpu or record.provenance.cpu}"
            for record in records
            if record.accepted
        }
    )


def _missing_evaluations(trial: Trial, plan: Plan, faults: Mapping[str, str]) -> list[Missing]:
    missing = []
    for column, evaluation in trial.evaluations.items():
        status = plan.statuses[evaluation.key]
        training = plan.statuses[evaluation.training.key] if evaluation.training else None
        if status.record:
            why = faults.get(evaluation.key)
        elif status.fault:
            why = status.fault
        elif training and training.fault:
            why = f"its training is damaged: {training.fault}"
        elif training and training.failure and not training.record:
            why = f"its training failed, {training.why()}"
        elif status.failure:
            why = status.why()
        else:
            why = status.state if status.state == "stale" else TO_DO
        if why:
            missing.append(Missing(trial.seed, column, without_private_paths(in_one_line(why))))
    return missing


def _evaluation_record(plan: Plan, evaluation: Evaluation) -> EvaluationRecord | None:
    return plan.statuses[evaluation.key].record  # type: ignore[return-value]


def _training_record(plan: Plan, key: str) -> TrainingRecord | None:
    return plan.statuses[key].record  # type: ignore[return-value]


def _training_hardware(record: TrainingRecord) -> str:
    origin = record.provenance
    parts = [origin.gpu or origin.cpu]
    parts += [f"{origin.gpus:g} of a GPU"] if origin.gpus and origin.gpus < 1 else []
    devices = record.spec.get("devices", 1)
    parts += [f"{devices} devices"] if devices > 1 else []
    per = "device" if devices > 1 else "training"
    parts.append(f"{origin.threads} thread{'s' * (origin.threads != 1)} per {per}")
    return ", ".join(parts)
