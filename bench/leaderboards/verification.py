"""Records and boards compared with what they were computed from."""

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
"""Scores are quotients of the same integers; only another Python may round them otherwise."""


_MAX_SHOWN = 300


@dataclass(frozen=True)
class Verification:
    """What was verified.

    Attributes:
        trainings: The number of trainings.
        evaluations: The number of evaluations.
        boards: The names of the boards.
        faults: A sentence for each record or file that is not what it should be.
        notes: What a person should know that is not a fault.
    """

    trainings: int
    evaluations: int
    boards: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Reports:
    """The faults and notes so far."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(
    store: Store, root: Path, declared: Mapping[str, Protocol], words: Sequence[str] = ()
) -> Verification:
    """Verify records and boards; each odd one is named and the others are verified all the same.

    Args:
        store: The records.
        root: The folder of published boards.
        declared: The protocols of bench.toml.
        words: Keys or folders of the records to verify; empty: all records and all boards.

    Raises:
        BenchError: There is nothing to verify (nothing), or a word names no record.
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
        reports.faults += _of_record(file, record)
        if left_out(file.parent, record):
            reports.notes.append(left_out_note(file.parent, record))
        if isinstance(record, TrainingRecord):
            reports.faults += _of_training(file, record)
        else:
            _of_evaluation(file, record, store, declared, reports)
    if folders:
        reports.faults += _of_boards(folders, root, records)
    if not words:
        reports.faults += store.odd_measurements()
    kinds = [file.name for file in files]
    return Verification(
        trainings=kinds.count(RECORDS["training"]),
        evaluations=kinds.count(RECORDS["evaluation"]),
        boards=[_board_name(folder, store) for folder in folders],
        faults=reports.faults,
        notes=[*dict.fromkeys(reports.notes)],
    )


def text(verification: Verification) -> str:
    """Return what was verified for a person."""
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
    return versions.name(folder)


def _of_record(file: Path, record: Record) -> Iterator[str]:
    """Yield the faults that a record of either kind may have: folder, labels, checksums."""
    if file.parent.name != f"seed{record.seed}-{record.key}":
        yield (
            f"{file}: its key is {record.key} and its seed {record.seed}, which is not that of its "
            "folder"
        )
    for part, name in _odd_labels(record):
        yield f"{file}: its {part} is called {quoted(record.labels[part])}, its spec has '{name}'"
    for name in sorted(record.files.keys() - {*left_out(file.parent, record)}):
        yield from _fault(lambda name=name: content(file.parent, record, name))  # type: ignore[misc]


def _of_training(file: Path, record: TrainingRecord) -> Iterator[str]:
    """Yield where the selected weights do not follow from the curve."""
    selection = record.spec["recipe"].get("select", "best")
    best = min(record.curve, key=lambda point: point.validation_ler).step
    expected = best if selection == "best" else record.curve[-1].step
    if record.selected_step != expected:
        yield (
            f"{file}: its selected step is {record.selected_step}, its curve gives {expected} "
            f"(select = '{selection}')"
        )


def _of_evaluation(
    file: Path,
    record: EvaluationRecord,
    store: Store,
    declared: Mapping[str, Protocol],
    reports: _Reports,
) -> None:
    """Report a training that is gone or another, and predictions that do not give the scores."""
    if (training := record.training) is not None:
        try:
            _, trained = store.training(training)
        except BenchError as error:
            # A training that is damaged is reported as such.
            reports.faults += [f"{file}: {error}"] if str(error) not in reports.faults else []
        else:
            reports.faults += _of_its_training(file, record, trained)
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
        reports.faults += _rescored(file, record, table, protocol)
    except BenchError as error:
        reports.faults.append(f"{file}: its predictions cannot be scored again: {error}")
    else:
        reports.notes += _notes(protocol, declared)


def _of_its_training(
    file: Path, record: EvaluationRecord, trained: TrainingRecord
) -> Iterator[str]:
    """Yield where an evaluation says something else of its training than that does itself."""
    if record.seed != trained.seed:
        yield f"{file}: its seed is {record.seed}, that of its training is {trained.seed}"
    for part in ("model", "loss"):
        if record.labels[part] != trained.labels[part]:
            yield (
                f"{file}: its {part} is {quoted(record.labels[part])}, that of its training is "
                f"{quoted(trained.labels[part])}"
            )


def _odd_labels(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the part and the name in the spec of each label that does not begin with that name."""
    for part, label in record.labels.items():
        specs = record.spec["data"] if part == "data" else [record.spec.get(part, {})]
        for spec in specs[:1]:
            name = str(spec.get("name", label))
            if not label.startswith(name):
                yield part, name


def _require_same_metrics(specs: Mapping[str, object]) -> None:
    """Raise BenchError where a metric is not what it was when a record was counted."""
    from bench.evaluation.metrics import find_metric

    for name, spec in specs.items():
        if find_metric(name).spec() != spec:
            raise BenchError(
                f"metric '{name}' is not what it was when this was counted; run the suite again"
            )


def _notes(protocol: Protocol, declared: Mapping[str, Protocol]) -> Iterator[str]:
    """Say where bench.toml no longer declares the protocol that records were scored under."""
    from bench.evaluation.protocols import PROTOCOLS

    if protocol.name in PROTOCOLS:
        return
    today = declared.get(protocol.name)
    if today is None or today.spec() != protocol.spec():
        yield (
            f"protocol '{protocol.name}' is not in bench.toml as it was when records were scored; "
            "they are verified under the rules that they hold"
        )


def _rescored(
    file: Path, record: EvaluationRecord, table: pa.Table, protocol: Protocol
) -> Iterator[str]:
    """Yield where the texts do not give the counts, or the counts not the scores."""
    from bench.evaluation import predictions

    again = predictions.recount_metrics(table, protocol)
    for name in again.column_names:
        before, after = table[name].to_pylist(), again[name].to_pylist()
        moved = [n for n, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
        if moved:
            sample = table["id"][moved[0]].as_py()
            yield (
                f"{file.parent / PREDICTIONS}: {name} of sample '{sample}' is {before[moved[0]]}, "
                f"its texts give {after[moved[0]]}; so for {len(moved)} of {len(before)} samples"
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
    for name, (held, given) in pairs.items():
        if not _equal(held, given):
            values = [shortened(str(value), _MAX_SHOWN) for value in (held, given)]
            yield f"{file}: its {name} is {values[0]}, the predictions give {values[1]}"


def _equal(held: object, given: object) -> bool:
    if isinstance(held, float) and isinstance(given, float):
        return abs(held - given) <= _TOLERANCE
    return held == given


def _of_boards(
    folders: Sequence[Path], root: Path, records: Mapping[Path, Record]
) -> Iterator[str]:
    """Yield boards that do not follow from their samples, and samples that no record gives."""
    published = [folder for folder in folders if folder.is_relative_to(root)]
    by_key = {record.key: folder for folder, record in records.items()}
    for folder in folders:
        faults = _fault(lambda folder=folder: rebuild.check(folder))  # type: ignore[misc]
        yield from faults
        if not faults:
            yield from _odd_samples(folder, records, by_key)
    if published:
        yield from _fault(lambda: rebuild.check_index(root))


def _odd_samples(
    folder: Path, records: Mapping[Path, Record], by_key: Mapping[str, Path]
) -> Iterator[str]:
    """Yield which samples of a board are not those of the records at hand."""
    board = boards.read(folder)
    for column, held in samples_file.read(folder, board.column_names).items():
        for key in held.keys:
            record = records.get(by_key.get(key, Path()))
            if not isinstance(record, EvaluationRecord):
                continue
            try:
                given = column_counts.of_record(record, by_key[key])
            except BenchError:
                continue  # Reported already, as a fault of the record.
            own = held.only([key])
            # A metric that the protocol gained since is no fault of the board.
            common = given.only_metrics(own.numerators)
            if not own.same_as(common):
                yield (
                    f"{folder / samples_file.file_name(column)}: the counts of {key} are not what "
                    f"its predictions give; `bench board {board.suite}` writes a board again"
                )


def _fault(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except BenchError as error:
        return [str(error)]
    return []
