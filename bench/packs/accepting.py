"""Accept a pack: compare its records with the suite, data and records here, then add them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.core import documents
from bench.core.errors import BenchError
from bench.evaluation import predictions
from bench.leaderboards import verification
from bench.packs import split_samples
from bench.packs.pack_file import Pack, check_person
from bench.packs.record_claims import invalid_claims
from bench.trials import grid, plan, provenance
from bench.trials.records import Acceptance, EvaluationRecord, TrainingRecord
from bench.trials.store import EVALUATION, PREDICTIONS, RECORDS, TRAINING, Store, parse, write

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.packs.split_samples import Sample
    from bench.trials.records import Record
    from bench.trials.specs import Evaluation, Kind, Task

T = TypeVar("T", EvaluationRecord, TrainingRecord)
_MAX_LISTED = 3


@dataclass(frozen=True)
class Accepted:
    """The result of accepting a pack.

    Attributes:
        by: The person who ran its rows.
        added: Keys of the records that were added, by kind.
        kept: Keys of the records that were already here, by kind.
        faults: Sentences why it was refused; empty if it was accepted.
        notes: Sentences about conditions that are not faults.
    """

    by: str
    added: dict[Kind, list[str]] = field(default_factory=dict)
    kept: dict[Kind, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _PackedRecord:
    """A record of a pack, the task of the suite here with its key, and its other files."""

    task: Task
    record: Record
    files: Mapping[str, bytes]


def accept_pack(config: Config, pack: Pack, by: str = "") -> Accepted:
    """Add the records of a pack to the results here, if none of them has a fault.

    Args:
        config: The bench.toml that lists the rows.
        pack: The pack.
        by: The person who ran its rows; empty for the name in the pack.

    Raises:
        BenchError: Neither `by` nor the pack names a person, the suite is not in bench.toml, or its
            data are not prepared.
    """
    person = check_person(by or pack.manifest.by) if by or pack.manifest.by else ""
    if not person:
        raise BenchError(
            f"{pack.path}: this pack does not name who ran its rows; name the person with --by"
        )
    if pack.manifest.suite not in config.tables:
        raise BenchError(
            f"{pack.path}: this pack has rows of suite '{pack.manifest.suite}', which is not in "
            f"{config.path}; copy the tables of the suite from whoever made the pack"
        )
    suite = config.suite(pack.manifest.suite)
    store = Store(config.results)
    store.prepare()
    check = _PackCheck(pack, suite, store)
    packed_records = check.packed_records()
    if not check.faults:
        check.verify(config, packed_records)
    result = Accepted(person, faults=check.faults, notes=check.notes)
    if not result.faults:
        for packed in packed_records:
            kind = packed.task.kind
            added = _add(packed, store, pack, person)
            (result.added if added else result.kept).setdefault(kind, []).append(packed.task.key)
    return result


class _PackCheck:
    """The comparison of a pack with the suite, data and records here; collects faults and notes."""

    def __init__(self, pack: Pack, suite: Suite, store: Store) -> None:
        self._pack, self._suite, self._store = pack, suite, store
        self._tasks = {task.key: task for task in grid.tasks(grid.trials(suite))}
        self._splits: dict[str, list[Sample]] = {}
        self.faults: list[str] = []
        self.notes: list[str] = []

    def packed_records(self) -> list[_PackedRecord]:
        """Return the records of the pack with their tasks, trainings first."""
        trainings = self._records_of_kind("training", TRAINING, TrainingRecord)
        evaluations = self._records_of_kind("evaluation", EVALUATION, EvaluationRecord)
        trained = {packed.task.key for packed in trainings}
        evaluated = set()
        for packed in evaluations:
            key = packed.task.training.key if packed.task.training else None
            evaluated.add(key)
            if key and key not in trained:
                self._fault("evaluation", packed.task.key, f"its training {key} is not in the pack")
        for key in sorted(trained - evaluated):
            self._fault("training", key, "no evaluation of it is in the pack")
        if not evaluations and not self.faults:
            self.faults.append(f"{self._pack.path}: there is no evaluation in the pack")
        return [*trainings, *evaluations]

    def verify(self, config: Config, packed_records: Sequence[_PackedRecord]) -> None:
        """Verify the records in a temporary folder, as `bench verify` does; compare the data."""
        with tempfile.TemporaryDirectory(prefix=".accepting-", dir=self._store.root) as folder:
            staging = Store(Path(folder))
            for packed in packed_records:
                _write(packed, staging, _missing_files(packed), self._pack, "-")
            verified = verification.verify(staging, Path(folder) / "boards", config.protocols)
            where = f"{self._pack.path}: "
            self.faults += [fault.replace(f"{folder}/", where) for fault in verified.faults]
        if self.faults:
            return
        for packed in packed_records:
            if isinstance(packed.record, EvaluationRecord):
                self._compare_samples(packed)
            self._compare_trained(packed)

    def _records_of_kind(
        self, kind: Kind, document: str, record_type: type[T]
    ) -> list[_PackedRecord]:
        packed_records = []
        for key in self._pack.keys(kind):
            files = self._pack.record_files(kind, key)
            try:
                record = parse(
                    files.get(document, b""),
                    record_type,
                    source=f"{self._pack.path}: {kind} {key}",
                    remedy="ask whoever made the pack to run the suite with this version of bench",
                )
            except BenchError as error:
                self.faults.append(str(error))
                continue
            task = self._task(kind, key, record)
            if task is None:
                continue
            for claim in invalid_claims(record, task):
                self._fault(kind, key, claim)
            others = {name: content for name, content in files.items() if name != document}
            if stray := sorted(others.keys() - record.files.keys()):
                self._fault(kind, key, f"its record does not name its file '{stray[0]}'")
            if kind == "evaluation" and PREDICTIONS not in others:
                self._fault(kind, key, "its predictions are not in the pack")
            self._note_sources(record)
            packed_records.append(_PackedRecord(task, record, others))
        return packed_records

    def _task(self, kind: Kind, key: str, record: Record) -> Task | None:
        """Return the task of the suite here for a record; if there is none, add a fault."""
        task = self._tasks.get(key)
        if task is not None and task.kind == kind:
            if record.key == key and record.spec == task.spec:
                return task
            changes = "; ".join(list(plan.differences(record.spec, task.spec))[:_MAX_LISTED])
            self._fault(kind, key, f"its spec is not that of its key: {changes or record.key}")
            return None
        similar = [
            other
            for other in self._tasks.values()
            if (other.kind, other.labels, other.seed) == (kind, record.labels, record.seed)
        ]
        if similar:
            changes = "; ".join(list(plan.differences(record.spec, similar[0].spec))[:_MAX_LISTED])
            self._fault(kind, key, f"it differs from suite '{self._suite.name}' here: {changes}")
            return None
        reasons = [*grid.unavailable(self._suite).values()]
        self._fault(
            kind,
            key,
            f"suite '{self._suite.name}' has no such row here; add it to bench.toml as it was when "
            f"the row was run{''.join(f' ({reason})' for reason in reasons[:_MAX_LISTED])}",
        )
        return None

    def _compare_samples(self, packed: _PackedRecord) -> None:
        """Compare the samples of predictions with the test split of the data here."""
        task = packed.task
        assert task.kind == "evaluation"  # noqa: S101 (so is its record)
        evaluation: Evaluation = task  # type: ignore[assignment]
        column = str(evaluation.spec["test"])
        if column not in self._splits:
            self._splits[column] = split_samples.test_samples(evaluation)
        table = predictions.parse_predictions(packed.files[PREDICTIONS])
        for fault in split_samples.prediction_faults(table, self._splits[column], evaluation.test):
            self._fault("evaluation", task.key, fault)

    def _compare_trained(self, packed: _PackedRecord) -> None:
        """Add a fault if the same training here has other weights than those in the pack."""
        if not isinstance(packed.record, TrainingRecord):
            return
        here = self._store.record(packed.task)
        if here is not None and here.files != packed.record.files:
            self._fault(
                "training",
                packed.task.key,
                f"{self._store.folder(packed.task)} has other weights of this training, so the "
                "evaluations are not of one row; move that folder away to accept them",
            )

    def _note_sources(self, record: Record) -> None:
        if changed := provenance.changed_sources(record.provenance.sources):
            files = ", ".join(changed[:_MAX_LISTED])
            more = f" and {len(changed) - _MAX_LISTED} more" if len(changed) > _MAX_LISTED else ""
            note = (
                f"{self._pack.path}: records were made by another version of the code of bench: "
                f"{files}{more}; `bench status --changed` lists the changed files"
            )
            self.notes += [] if note in self.notes else [note]

    def _fault(self, kind: Kind, key: str, clause: str) -> None:
        self.faults.append(f"{self._pack.path}: {kind} {key}: {clause}")


def _missing_files(packed: _PackedRecord) -> list[str]:
    return sorted(packed.record.files.keys() - packed.files.keys())


def _add(packed: _PackedRecord, store: Store, pack: Pack, by: str) -> bool:
    """Write a record unless the one here has as many files; return whether it was written."""
    here = store.record(packed.task)
    if here is not None:
        missing = [name for name in here.files if not (store.folder(packed.task) / name).is_file()]
        if not (missing and here.accepted and here.files == packed.record.files):
            return False
        if not {*missing} <= packed.files.keys():
            return False
    _write(packed, store, _missing_files(packed), pack, by)
    return True


def _write(
    packed: _PackedRecord, store: Store, missing: Sequence[str], pack: Pack, by: str
) -> None:
    """Write a record and its files, the record last."""
    folder = store.begin(packed.task)
    for name, content in packed.files.items():
        documents.write_bytes(folder / name, content)
    before = packed.record.accepted
    accepted = Acceptance(
        by=before.by if before else by,
        pack=pack.digest,
        accepted=datetime.now(UTC).isoformat(timespec="seconds"),
        missing=[*missing],
    )
    write(folder / RECORDS[packed.task.kind], replace(packed.record, accepted=accepted))


def accepted_text(accepted: Accepted) -> str:
    """Return one line with the result of accepting a pack."""
    if accepted.faults:
        count = len(accepted.faults)
        return f"refused, {count} fault{'s' * (count != 1)}; nothing was added"
    parts = [*_counts_text(accepted.added, "added"), *_counts_text(accepted.kept, "here already")]
    return f"run by {accepted.by}: {', '.join(parts)}"


def _counts_text(keys: Mapping[Kind, Sequence[str]], what: str) -> Iterator[str]:
    for kind, each in keys.items():
        yield f"{len(each)} {kind}{'s' * (len(each) != 1)} {what}"
