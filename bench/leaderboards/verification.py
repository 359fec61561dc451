"""Verify records and boards: compute scores and boards again and compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.printable import quoted, shortened
from bench.leaderboards import board as boards
from bench.leaderboards import rebuild, versions
from bench.leaderboards.samples import column_counts, samples_file
from bench.trials.records import EvaluationRecord, Failure, TrainingRecord
from bench.trials.store import (
    PREDICTIONS,
    RECORDS,
    content,
    left_out,
    left_out_note,
    predictions_of,
    read_record,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.evaluation.protocols import Protocol
    from bench.trials.records import Record
    from bench.trials.store import Store

_TOLERANCE = 1e-12
"""Scores are quotients of the same integers, so only rounding may differ between machines."""
_MAX_VALUE = 300
"""Characters of a value in a message."""


@dataclass(frozen=True)
class Verification:
    """The result of `verify`.

    Attributes:
        trainings: Number of verified trainings.
        evaluations: Number of verified evaluations.
        boards: Names of the verified boards.
        faults: One sentence per record or file that is damaged, altered or contradictory.
        notes: Sentences about conditions that are not faults.
    """

    trainings: int
    evaluations: int
    boards: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Reports:
    """The faults and notes collected so far."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(
    store: Store, root: Path, declared: Mapping[str, Protocol], words: Sequence[str] = ()
) -> Verification:
    """Verify records and boards; a fault in one does not stop the verification of the others.

    Args:
        store: The records.
        root: The folder of published boards.
        declared: The protocols of bench.toml.
        words: Keys or folders of the records to verify; empty for all records and boards.

    Raises:
        BenchError: There is nothing to verify (nothing), or a key is unknown.
    """
    files = [_record_file(word, store) for word in words] if words else _all_records(store)
    folders = [] if words else [*versions.all_versions(root), *versions.working_boards(store.root)]
    if not files and not folders:
        raise BenchError(
            f"{store.root}: there is no record to verify, and no board in {root}; run: bench run",
            Exit.NOTHING,
        )
    reports = _Reports()
    records: dict[Path, Record] = {}
    for file in files:
        try:
            records[file.parent] = record = read_record(file)
        except BenchError as error:
            reports.faults.append(str(error))
            continue
        reports.faults += _record_faults(file, record)
        if left_out(file.parent, record):
            reports.notes.append(left_out_note(file.parent, record))
        if isinstance(record, TrainingRecord):
            reports.faults += _training_faults(file, record)
        else:
            _check_evaluation(file, record, store, declared, reports)
    if folders:
        reports.faults += _board_faults(folders, root, records)
    if not words:
        reports.faults += store.unreadable_measurements()
    kinds = [file.name for file in files]
    return Verification(
        trainings=kinds.count(RECORDS["training"]),
        evaluations=kinds.count(RECORDS["evaluation"]),
        boards=[_board_name(folder, store) for folder in folders],
        faults=reports.faults,
        notes=[*dict.fromkeys(reports.notes)],
    )


def verification_text(verification: Verification) -> str:
    """Return one line with the numbers of verified trainings, evaluations, boards and faults."""
    parts = [
        f"{count} {noun}{'s' * (count != 1)}"
        for count, noun in (
            (verification.trainings, "training"),
            (verification.evaluations, "evaluation"),
            (len(verification.boards), "board"),
        )
    ]
    count = len(verification.faults)
    outcome = f"{count} fault{'s' * (count != 1)}" if count else "everything verified"
    return f"{', '.join(parts)}: {outcome}"


def _record_file(word: str, store: Store) -> Path:
    folder, record = store.find(word)
    if isinstance(record, Failure):
        raise BenchError(f"{folder}: this task failed, so there is nothing to verify")
    return folder / RECORDS["training" if isinstance(record, TrainingRecord) else "evaluation"]


def _all_records(store: Store) -> list[Path]:
    return [*store.records("training"), *store.records("evaluation")]


def _board_name(folder: Path, store: Store) -> str:
    if folder.is_relative_to(store.root):
        return f"{folder.name} (working)"
    return versions.version_name(folder)


def _record_faults(file: Path, record: Record) -> Iterator[str]:
    """Yield the faults that records of either kind may have: folder, labels, checksums."""
    if file.parent.name != f"seed{record.seed}-{record.key}":
        yield (
            f"{file}: its key {record.key} and its seed {record.seed} are not those in the name of "
            "its folder"
        )
    for part, name in _label_mismatches(record):
        yield (
            f"{file}: the label of its {part} is {quoted(record.labels[part])}, but its spec has "
            f"'{name}'"
        )
    for name in sorted(record.files.keys() - {*left_out(file.parent, record)}):
        yield from _raised_faults(lambda name=name: content(file.parent, record, name))  # type: ignore[misc]


def _training_faults(file: Path, record: TrainingRecord) -> Iterator[str]:
    """Yield a fault if the selected step does not follow from the learning curve."""
    selection = record.spec["recipe"].get("select", "best")
    best = min(record.curve, key=lambda point: point.validation_ler).step
    expected = best if selection == "best" else record.curve[-1].step
    if record.selected_step != expected:
        yield (
            f"{file}: its selected step is {record.selected_step}, but its curve gives {expected} "
            f"(select = '{selection}')"
        )


def _check_evaluation(
    file: Path,
    record: EvaluationRecord,
    store: Store,
    declared: Mapping[str, Protocol],
    reports: _Reports,
) -> None:
    """Report a missing or different training, and predictions that do not give the scores."""
    if (training := record.training) is not None:
        try:
            _, trained = store.training(training)
        except BenchError as error:
            # A damaged training may be reported already, as a record of its own.
            reports.faults += [f"{file}: {error}"] if str(error) not in reports.faults else []
        else:
            reports.faults += _training_mismatches(file, record, trained)
    from bench.evaluation import protocols

    try:
        table = predictions_of(file.parent, record)
    except BenchError as error:
        if str(error) not in reports.faults:
            reports.faults.append(str(error))
        return
    try:
        protocol = protocols.protocol_from_spec(record.spec["protocol"], record.spec["metrics"])
        _require_same_metrics(record.spec["metrics"])
        reports.faults += _score_faults(file, record, table, protocol)
    except BenchError as error:
        reports.faults.append(f"{file}: its predictions cannot be scored again: {error}")
    else:
        reports.notes += _notes(protocol, declared)


def _training_mismatches(
    file: Path, record: EvaluationRecord, trained: TrainingRecord
) -> Iterator[str]:
    """Yield a fault for each value that an evaluation and its training record differently."""
    if record.seed != trained.seed:
        yield f"{file}: its seed is {record.seed}, but that of its training is {trained.seed}"
    for part in ("model", "loss"):
        if record.labels[part] != trained.labels[part]:
            yield (
                f"{file}: its {part} is {quoted(record.labels[part])}, but that of its training is "
                f"{quoted(trained.labels[part])}"
            )


def _label_mismatches(record: Record) -> Iterator[tuple[str, str]]:
    """Yield part and name in the spec for each label that does not begin with that name."""
    for part, label in record.labels.items():
        specs = record.spec["data"] if part == "data" else [record.spec.get(part, {})]
        for spec in specs[:1]:
            name = str(spec.get("name", label))
            if not label.startswith(name):
                yield part, name


def _require_same_metrics(specs: Mapping[str, object]) -> None:
    """Raise BenchError if the version of a metric changed since a record was written."""
    from bench.evaluation.metrics import find_metric

    for name, spec in specs.items():
        if find_metric(name).spec() != spec:
            raise BenchError(
                f"metric '{name}' has changed since this evaluation; run the suite again"
            )


def _notes(protocol: Protocol, declared: Mapping[str, Protocol]) -> Iterator[str]:
    """Yield a note if bench.toml no longer declares the protocol of a record as it was."""
    from bench.evaluation.protocols import PROTOCOLS

    if protocol.name in PROTOCOLS:
        return
    current = declared.get(protocol.name)
    if current is None or current.spec() != protocol.spec():
        yield (
            f"protocol '{protocol.name}' was changed in or removed from bench.toml since records "
            "were scored; they are verified under the rules that they hold"
        )


def _score_faults(
    file: Path, record: EvaluationRecord, table: pa.Table, protocol: Protocol
) -> Iterator[str]:
    """Yield faults where the predicted texts do not give the counts, or these not the scores."""
    from bench.evaluation import predictions

    again = predictions.recount_metrics(table, protocol)
    for name in again.column_names:
        before, after = table[name].to_pylist(), again[name].to_pylist()
        differing = [
            row for row, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]
        ]
        if differing:
            first = differing[0]
            sample = table["id"][first].as_py()
            yield (
                f"{file.parent / PREDICTIONS}: {name} of sample '{sample}' is {before[first]}, but "
                f"its texts give {after[first]}; {len(differing)} of {len(before)} samples differ"
            )
    scored = again["excluded"].null_count
    pairs: dict[str, tuple[object, object]] = {
        "samples": (record.samples, scored),
        "excluded": (record.excluded, predictions.excluded_counts(again)),
        "dropped": (record.dropped, predictions.dropped_counts(table, protocol)),
    }
    scores = (
        predictions.corpus_scores(again.append_column("id", table["id"]), protocol)
        if scored
        else {}
    )
    for name in sorted(scores.keys() | record.scores.keys()):
        pairs[name] = (record.scores.get(name), scores.get(name))
    for name, (recorded, computed) in pairs.items():
        if not _equal(recorded, computed):
            values = [shortened(str(value), _MAX_VALUE) for value in (recorded, computed)]
            yield f"{file}: its {name} is {values[0]}, but the predictions give {values[1]}"


def _equal(recorded: object, computed: object) -> bool:
    if isinstance(recorded, float) and isinstance(computed, float):
        return abs(recorded - computed) <= _TOLERANCE
    return recorded == computed


def _board_faults(
    folders: Sequence[Path], root: Path, records: Mapping[Path, Record]
) -> Iterator[str]:
    """Yield faults of boards that differ from their samples, and of samples that no record has."""
    published = [folder for folder in folders if folder.is_relative_to(root)]
    by_key = {record.key: folder for folder, record in records.items()}
    for folder in folders:
        faults = _raised_faults(lambda folder=folder: rebuild.check_board(folder))  # type: ignore[misc]
        yield from faults
        if not faults:
            yield from _sample_mismatches(folder, records, by_key)
    if published:
        yield from _raised_faults(lambda: rebuild.check_index(root))


def _sample_mismatches(
    folder: Path, records: Mapping[Path, Record], by_key: Mapping[str, Path]
) -> Iterator[str]:
    """Yield a fault for each evaluation whose counts on a board are not those of its record."""
    board = boards.read_board(folder)
    for column, board_counts in samples_file.read_counts(folder, board.column_names).items():
        for key in board_counts.keys:
            record = records.get(by_key.get(key, Path()))
            if not isinstance(record, EvaluationRecord):
                continue
            try:
                record_counts = column_counts.counts_of_record(record, by_key[key])
            except BenchError:
                continue  # Reported already, as a fault of the record.
            own = board_counts.only_evaluations([key])
            # A metric that was added to the protocol later is not a fault of the board.
            common = record_counts.only_metrics(own.numerators)
            if not own.same_as(common):
                file = folder / samples_file.samples_file_name(column)
                yield (
                    f"{file}: the counts of {key} differ from those of its predictions; write the "
                    f"board again with `bench board {board.suite}`"
                )


def _raised_faults(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except BenchError as error:
        return [str(error)]
    return []
