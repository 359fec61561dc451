"""A pack of others to records of this checkout: all of it is compared with what is here."""

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
from bench.packs.record_claims import odd_claims
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
_SHOWN = 3


@dataclass(frozen=True)
class Accepted:
    """What became of a pack.

    Attributes:
        by: Who ran what it has.
        added: The keys of the records that were added, by kind.
        kept: Those of the records that were here already, by kind.
        faults: Why nothing of it was added, a sentence each; empty where it was accepted.
        notes: What a person should know that is not a fault.
    """

    by: str
    added: dict[Kind, list[str]] = field(default_factory=dict)
    kept: dict[Kind, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Arrival:
    """A record of a pack, with the task of this checkout that it is of."""

    task: Task
    record: Record
    files: Mapping[str, bytes]


def accept(config: Config, pack: Pack, by: str = "") -> Accepted:
    """Add the records of a pack to the results here, if all of them hold; else none.

    Args:
        config: The bench.toml that lists the rows.
        pack: What others have packed.
        by: Who ran it, where the pack does not say so, or not well.

    Raises:
        BenchError: Nobody is named, the suite is not here, or its data are not prepared.
    """
    person = check_person(by or pack.manifest.by) if by or pack.manifest.by else ""
    if not person:
        raise BenchError(f"{pack.path}: it does not say who ran its rows; name them with --by")
    if pack.manifest.suite not in config.tables:
        raise BenchError(
            f"{pack.path}: it has rows of suite '{pack.manifest.suite}', which {config.path} does "
            "not have; take over its tables from whoever made the pack"
        )
    suite = config.suite(pack.manifest.suite)
    store = Store(config.results)
    store.prepare()
    checking = _Checking(pack, suite, store)
    arrivals = checking.arrivals()
    if not checking.faults:
        checking.verify(config, arrivals)
    result = Accepted(person, faults=checking.faults, notes=checking.notes)
    if not result.faults:
        for arrival in arrivals:
            kind = arrival.task.kind
            added = _add(arrival, store, pack, person)
            (result.added if added else result.kept).setdefault(kind, []).append(arrival.task.key)
    return result


class _Checking:
    """The comparison of a pack with what is here."""

    def __init__(self, pack: Pack, suite: Suite, store: Store) -> None:
        self._pack, self._suite, self._store = pack, suite, store
        self._tasks = {task.key: task for task in grid.tasks(grid.trials(suite))}
        self._splits: dict[str, list[Sample]] = {}
        self.faults: list[str] = []
        self.notes: list[str] = []

    def arrivals(self) -> list[_Arrival]:
        """Return the records of the pack with their tasks, trainings first; collect faults."""
        trainings = self._of_kind("training", TRAINING, TrainingRecord)
        evaluations = self._of_kind("evaluation", EVALUATION, EvaluationRecord)
        trained = {arrival.task.key for arrival in trainings}
        wanted = set()
        for arrival in evaluations:
            key = arrival.task.training.key if arrival.task.training else None
            wanted.add(key)
            if key and key not in trained:
                self._fault("evaluation", arrival.task.key, f"its training {key} is not in it")
        for key in sorted(trained - wanted):
            self._fault("training", key, "no evaluation of it is in the pack")
        if not evaluations and not self.faults:
            self.faults.append(f"{self._pack.path}: there is no evaluation in it")
        return [*trainings, *evaluations]

    def verify(self, config: Config, arrivals: Sequence[_Arrival]) -> None:
        """Verify the records in a folder of their own, as `bench verify` does; collect faults."""
        with tempfile.TemporaryDirectory(prefix=".accepting-", dir=self._store.root) as folder:
            staging = Store(Path(folder))
            for arrival in arrivals:
                _write(arrival, staging, _missing(arrival), self._pack, "-")
            verified = verification.verify(staging, Path(folder) / "boards", config.protocols)
            where = f"{self._pack.path}: "
            self.faults += [fault.replace(f"{folder}/", where) for fault in verified.faults]
        if self.faults:
            return
        for arrival in arrivals:
            if isinstance(arrival.record, EvaluationRecord):
                self._compare_samples(arrival)
            self._compare_trained(arrival)

    def _of_kind(self, kind: Kind, document: str, record_type: type[T]) -> list[_Arrival]:
        arrivals = []
        for key in self._pack.keys(kind):
            files = self._pack.of(kind, key)
            try:
                record = parse(
                    files.get(document, b""),
                    record_type,
                    source=f"{self._pack.path}: {kind} {key}",
                    remedy="ask whoever made the pack to run the suite with this bench",
                )
            except BenchError as error:
                self.faults.append(str(error))
                continue
            task = self._task(kind, key, record)
            if task is None:
                continue
            for claim in odd_claims(record, task):
                self._fault(kind, key, claim)
            others = {name: content for name, content in files.items() if name != document}
            if stray := sorted(others.keys() - record.files.keys()):
                self._fault(kind, key, f"its record does not name its file '{stray[0]}'")
            if kind == "evaluation" and PREDICTIONS not in others:
                self._fault(kind, key, "its predictions are not in it")
            self._note_sources(record)
            arrivals.append(_Arrival(task, record, others))
        return arrivals

    def _task(self, kind: Kind, key: str, record: Record) -> Task | None:
        """Return the task of the suite here that a record is of; where there is none, say why."""
        task = self._tasks.get(key)
        if task is not None and task.kind == kind:
            if record.key == key and record.spec == task.spec:
                return task
            moved = "; ".join(list(plan.differences(record.spec, task.spec))[:_SHOWN])
            self._fault(kind, key, f"its spec is not that of its key: {moved or record.key}")
            return None
        like = [each for each in self._tasks.values() if each.kind == kind]
        like = [each for each in like if each.labels == record.labels and each.seed == record.seed]
        if like:
            moved = "; ".join(list(plan.differences(record.spec, like[0].spec))[:_SHOWN])
            self._fault(kind, key, f"it is not what suite '{self._suite.name}' is here: {moved}")
            return None
        reasons = [*grid.unavailable(self._suite).values()]
        self._fault(
            kind,
            key,
            f"suite '{self._suite.name}' has no such row here; list it in bench.toml as in the one "
            f"that it was run with{''.join(f' ({reason})' for reason in reasons[:_SHOWN])}",
        )
        return None

    def _compare_samples(self, arrival: _Arrival) -> None:
        """Compare predictions with the test split of the data here."""
        task = arrival.task
        assert task.kind == "evaluation"  # noqa: S101 (its record is one)
        evaluation: Evaluation = task  # type: ignore[assignment]
        column = str(evaluation.spec["test"])
        if column not in self._splits:
            self._splits[column] = split_samples.test_samples(evaluation)
        table = predictions.parse_predictions(arrival.files[PREDICTIONS])
        for fault in split_samples.faults(table, self._splits[column], evaluation.test):
            self._fault("evaluation", task.key, fault)

    def _compare_trained(self, arrival: _Arrival) -> None:
        """Refuse evaluations of other weights than those of the same training here."""
        if not isinstance(arrival.record, TrainingRecord):
            return
        here = self._store.record(arrival.task)
        if here is not None and here.files != arrival.record.files:
            self._fault(
                "training",
                arrival.task.key,
                f"{self._store.folder(arrival.task)} has other weights of it, so its evaluations "
                "do not belong to one row; move that folder away to accept them",
            )

    def _note_sources(self, record: Record) -> None:
        if changed := provenance.changed_sources(record.provenance.sources):
            listed = ", ".join(changed[:_SHOWN])
            more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            note = (
                f"{self._pack.path}: records were made by other sources of bench than those here: "
                f"{listed}{more}; `bench status --changed` lists them"
            )
            self.notes += [] if note in self.notes else [note]

    def _fault(self, kind: Kind, key: str, clause: str) -> None:
        self.faults.append(f"{self._pack.path}: {kind} {key}: {clause}")


def _missing(arrival: _Arrival) -> list[str]:
    return sorted(arrival.record.files.keys() - arrival.files.keys())


def _add(arrival: _Arrival, store: Store, pack: Pack, by: str) -> bool:
    """Write a record, unless the one here has as much; return whether it was written."""
    here = store.record(arrival.task)
    if here is not None:
        lacks = [name for name in here.files if not (store.folder(arrival.task) / name).is_file()]
        if not (lacks and here.accepted and here.files == arrival.record.files):
            return False
        if not {*lacks} <= arrival.files.keys():
            return False
    _write(arrival, store, _missing(arrival), pack, by)
    return True


def _write(arrival: _Arrival, store: Store, missing: Sequence[str], pack: Pack, by: str) -> None:
    """Write a record and its files, the record last."""
    folder = store.begin(arrival.task)
    for name, content in arrival.files.items():
        documents.write_bytes(folder / name, content)
    before = arrival.record.accepted
    accepted = Acceptance(
        by=before.by if before else by,
        pack=pack.digest,
        accepted=datetime.now(UTC).isoformat(timespec="seconds"),
        missing=[*missing],
    )
    write(folder / RECORDS[arrival.task.kind], replace(arrival.record, accepted=accepted))


def text(accepted: Accepted) -> str:
    """Return what became of a pack for a person."""
    if accepted.faults:
        count = len(accepted.faults)
        return f"refused, {count} fault{'s' * (count != 1)}; nothing was added"
    parts = [*_counted(accepted.added, "added"), *_counted(accepted.kept, "here already")]
    return f"run by {accepted.by}: {', '.join(parts)}"


def _counted(keys: Mapping[Kind, Sequence[str]], what: str) -> Iterator[str]:
    for kind, each in keys.items():
        yield f"{len(each)} {kind}{'s' * (len(each) != 1)} {what}"
