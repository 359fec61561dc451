"""Records on disk: one folder per task, whose record is written atomically and last.

results/trainings/<model>/<loss>/seed<seed>-<key>/
    training.json        the training is done (`TrainingRecord`); written last
    weights.safetensors  the weights that the recipe selects
    last.safetensors     the weights of the last step, if others were selected
    checkpoint.pt        state of an unfinished training (`bench.training.checkpoint`)
results/evaluations/<test>/<model>/<loss>/seed<seed>-<key>/
results/evaluations/<test>/<recognizer>/<origin>/seed0-<key>/
    evaluation.json      the evaluation is done (`EvaluationRecord`); written last
    predictions.parquet  see `bench.evaluation.predictions`
    readings.jsonl       readings of a recognizer from outside bench in an unfinished evaluation
both:
    failure.json         the last attempt failed (`Failure`); removed once the task is done
    log.txt              the events of the last attempt
results/profiles/<key>.json
                         latencies and parameters of a network on one machine (`Profile`)
results/feasibility/<key>.json
                         how many targets are longer than the output (`Feasibility`)
results/leases/          which process works on which task (`bench.trials.leases`)
results/answers/         files that recognizers from outside bench keep between runs
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from bench.core import documents
from bench.core.disk import require_writable
from bench.core.errors import BenchError, Exit
from bench.core.regular_files import MAX_BYTES, is_there, read_regular
from bench.trials import record_checks
from bench.trials.records import (
    SCHEMA,
    Attempt,
    EvaluationRecord,
    Failure,
    Feasibility,
    Profile,
    Record,
    TrainingRecord,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.trials.specs import Evaluation, Kind, Task, Training

TRAINING, EVALUATION = "training.json", "evaluation.json"
FAILURE, LOG = "failure.json", "log.txt"
PREDICTIONS = "predictions.parquet"
WEIGHTS, LAST_WEIGHTS = "weights.safetensors", "last.safetensors"
CHECKPOINT = "checkpoint.pt"
RECORDS: dict[Kind, str] = {"training": TRAINING, "evaluation": EVALUATION}
_DOCUMENTS: dict[str, type[Record | Failure]] = {
    TRAINING: TrainingRecord,
    EVALUATION: EvaluationRecord,
    FAILURE: Failure,
}
_PROFILES = "profiles"
_FEASIBILITY = "feasibility"
_ANSWERS = "answers"
MAX_WEIGHTS = 2**33
"""The largest size in bytes of a file of weights that is read."""
DEPTHS = {"trainings": "*/*", "evaluations": "*/*/*"}
T = TypeVar("T")


class Store:
    """The records in a folder of results; only the process of a task writes its record."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folder. Raises BenchError if it is not writable."""
        require_writable(self.root, "name another folder with --results")

    def folder(self, task: Task) -> Path:
        """Return the folder of the files of `task`."""
        return self.root / task.path

    def log(self, task: Task) -> Path | None:
        """Return the log of the last attempt at `task`, or None without one."""
        file = self.folder(task) / LOG
        return file if file.is_file() else None

    @property
    def answers(self) -> Path:
        """The folder in which recognizers from outside bench keep files between runs."""
        return self.root / _ANSWERS

    @overload
    def record(self, task: Training) -> TrainingRecord | None: ...
    @overload
    def record(self, task: Evaluation) -> EvaluationRecord | None: ...
    def record(self, task: Task) -> Record | None:
        """Return the record of `task`, or None if it has none.

        Raises:
            BenchError: (unverified) The record cannot be read, or is that of another task.
        """
        file = self.folder(task) / RECORDS[task.kind]
        if not is_there(file):
            return None
        record = read_record(file)
        if (record.key, record.seed) != (task.key, task.seed):
            raise _misplaced(file, record)
        return record

    def is_done(self, task: Task) -> bool:
        """Return whether `task` has a record that can be read."""
        with suppress(BenchError):
            return self.record(task) is not None
        return False

    def written(self, task: Task) -> tuple[int | None, int | None]:
        """Return the times in ns at which record and failure of `task` were written, or None."""
        folder = self.folder(task)
        record, failure = (_written(folder / name) for name in (RECORDS[task.kind], FAILURE))
        return record, failure

    def failure(self, task: Task) -> Failure | None:
        """Return the failure of the last attempt at `task`, or None without one."""
        file = self.folder(task) / FAILURE
        if not is_there(file):
            return None
        try:
            return read(file, Failure)
        except BenchError as error:
            # Its content only explains; that the file exists means that the attempt failed.
            attempt = Attempt("error", str(error), "")
            return Failure(task.key, task.spec, task.labels, task.seed, [attempt])

    def siblings(self, task: Task) -> Iterator[Record]:
        """Yield the readable records with other keys, same folder and seed, newest first.

        The folder names the components of the task.
        """
        folders = self.folder(task).parent.glob(f"seed{task.seed}-*")
        files = [folder / RECORDS[task.kind] for folder in folders if folder != self.folder(task)]
        others = [file for file in files if is_there(file)]
        for file in sorted(others, key=lambda file: (-file.lstat().st_mtime_ns, file)):
            # They only explain and estimate, so one of another schema does not stop a run.
            with suppress(BenchError):
                yield read_record(file)

    def begin(self, task: Task) -> Path:
        """Make the folder of `task` and return it; remove failure and log of an earlier attempt."""
        folder = self.folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        documents.remove_parts(folder)
        for name in (FAILURE, LOG):
            (folder / name).unlink(missing_ok=True)
        return folder

    def records(self, kind: Kind) -> list[Path]:
        """Return the paths of all records of a kind, sorted."""
        folders = self.root.glob(f"{kind}s/{DEPTHS[f'{kind}s']}/seed*")
        files = (folder / RECORDS[kind] for folder in folders)
        return sorted(file for file in files if is_there(file))

    def evaluations(self, faults: list[str]) -> Iterator[tuple[Path, EvaluationRecord]]:
        """Yield folder and record of each evaluation that can be read, sorted by path.

        Args:
            faults: A list to which the error messages of the others are added.
        """
        for file in self.records("evaluation"):
            try:
                yield file.parent, read(file, EvaluationRecord)
            except BenchError as error:
                faults.append(str(error))

    def training(self, key: str) -> tuple[Path, TrainingRecord]:
        """Return folder and record of the training `key`.

        Raises:
            BenchError: (unverified) It is missing, or cannot be read.
        """
        folders = self.root.glob(f"trainings/*/*/seed*-{glob.escape(key)}")
        files = [folder / TRAINING for folder in folders if is_there(folder / TRAINING)]
        if len(files) != 1:
            raise BenchError(
                f"{self.root}: training {key} is missing; run its suite again with `bench run`",
                Exit.UNVERIFIED,
            )
        record = read(files[0], TrainingRecord)
        if record.key != key:
            raise _misplaced(files[0], record)
        return files[0].parent, record

    def find(self, word: str) -> tuple[Path, Record | Failure]:
        """Return folder and record (else failure) of the task that `word` names.

        Args:
            word: The beginning of its key, or its folder.

        Raises:
            BenchError: No task or several tasks match.
        """
        paths = [
            path
            for kind, depth in DEPTHS.items()
            for path in self.root.glob(f"{kind}/{depth}/seed*-{glob.escape(word)}*")
        ]
        folders = [path for path in (Path(word), *paths) if _document(path)]
        if len(folders) != 1:
            count = "no task has" if not folders else f"{len(folders)} tasks have"
            raise BenchError(
                f"{self.root}: {count} a record under a key that begins with '{word}'; "
                "`bench status` lists the keys"
            )
        file = _document(folders[0])
        assert file, "a folder that was chosen for its document"  # noqa: S101
        return folders[0], read(file, _DOCUMENTS[file.name])

    def profiles(self) -> Iterator[Profile]:
        """Yield the readable profiles, in order of their keys."""
        for file in sorted(self.root.glob(f"{_PROFILES}/*.json")):
            # One of another schema is measured again, so it does not stop a run or a board.
            with suppress(BenchError):
                yield read(file, Profile)

    def profile(self, key: str) -> Profile | None:
        """Return the profile with `key`, or None if none can be read."""
        return self._optional(_PROFILES, key, Profile)

    def feasibility(self, key: str) -> Feasibility | None:
        """Return the feasibility with `key`, or None if none can be read."""
        return self._optional(_FEASIBILITY, key, Feasibility)

    def unreadable_measurements(self) -> Iterator[str]:
        """Yield an error message for each profile and feasibility that cannot be read.

        Runs and boards ignore such files, because they are made again.
        """
        kinds: tuple[tuple[str, type], ...] = ((_PROFILES, Profile), (_FEASIBILITY, Feasibility))
        for folder, kind in kinds:
            for file in sorted(self.root.glob(f"{folder}/*.json")):
                try:
                    read(file, kind)
                except BenchError as error:
                    yield str(error)

    def _optional(self, folder: str, key: str, kind: type[T]) -> T | None:
        file = self.root / folder / f"{key}.json"
        with suppress(BenchError):
            return read(file, kind) if is_there(file) else None
        return None

    def keep(self, document: Profile | Feasibility) -> Path:
        """Write a document into the file of its key, replacing an earlier one; return the path."""
        folder = _PROFILES if isinstance(document, Profile) else _FEASIBILITY
        file = self.root / folder / f"{document.key}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, document)
        return file


def _written(file: Path) -> int | None:
    # A link to itself is reported as damaged when it is read.
    with suppress(OSError):
        return file.stat().st_mtime_ns
    return None


def _document(folder: Path) -> Path | None:
    return next((folder / name for name in _DOCUMENTS if is_there(folder / name)), None)


def read_record(file: Path) -> Record:
    """Read the record of a training or an evaluation; the name of the file tells which."""
    if file.name == TRAINING:
        return read(file, TrainingRecord)
    return read(file, EvaluationRecord)


def read(file: Path, kind: type[T]) -> T:
    """Read one document.

    Raises:
        BenchError: (unverified) It has another schema, or its fields contradict each other.
    """
    return documents.read(
        file, kind, SCHEMA, noun=_noun(kind), remedy=_remedy(file), check=record_checks.check
    )


def parse(content: bytes, kind: type[T], *, source: str, remedy: str) -> T:
    """Decode and check a document as `read` does, from bytes; errors begin with `source`."""
    return documents.parse(
        content,
        kind,
        SCHEMA,
        source=source,
        noun=_noun(kind),
        remedy=remedy,
        check=record_checks.check,
    )


def _misplaced(file: Path, record: Record) -> BenchError:
    return BenchError(
        f"{file}: this is the record of {record.key}, seed {record.seed}, not of the task in its "
        f"folder's name; {_remedy(file)}",
        Exit.UNVERIFIED,
    )


def _noun(kind: type) -> str:
    return kind.__name__.removesuffix("Record").lower()


def _remedy(file: Path) -> str:
    if file.name in _DOCUMENTS:
        return "restore it, or move the folder away and run its suite again"
    return "remove it, and it is made again"


def content(folder: Path, record: Record, name: str) -> bytes:
    """Return the content of the file `name` beside a record, after checking its checksum.

    Raises:
        BenchError: (unverified) It is missing, or differs from the checksum in the record.
    """
    file = folder / name
    if name in left_out(folder, record):
        raise BenchError(left_out_note(folder, record), Exit.UNVERIFIED)
    try:
        held = read_regular(file, MAX_WEIGHTS if file.suffix == ".safetensors" else MAX_BYTES)
    except FileNotFoundError:
        held = b""
    except OSError as error:
        raise BenchError(
            f"{file}: this file of {record.key} cannot be read ({error.strerror}); restore it, or "
            "run its suite again with --force",
            Exit.UNVERIFIED,
        ) from None
    if hashlib.sha256(held).hexdigest() != record.files.get(name):
        fault = "does not match the checksum in its record" if held else "is missing"
        raise BenchError(
            f"{file}: this file of {record.key} {fault}; restore it, or run its suite again "
            "with --force",
            Exit.UNVERIFIED,
        )
    return held


def predictions_of(folder: Path, record: EvaluationRecord) -> pa.Table:
    """Return the table of predictions beside a record in `folder`.

    Raises:
        BenchError: (unverified) It is missing, differs from the checksum in the record, or is not a
            table of predictions with the metrics of the record.
    """
    from bench.evaluation import predictions

    file = folder / PREDICTIONS
    table = predictions.predictions_from_bytes(content(folder, record, PREDICTIONS), file)
    if missing := sorted(record.spec["metrics"].keys() - {*table.column_names}):
        raise BenchError(
            f"{file}: it has no column of metric '{missing[0]}', which its record has; run its "
            "suite again with --force",
            Exit.UNVERIFIED,
        )
    return table


def left_out(folder: Path, record: Record) -> list[str]:
    """Return the files of an accepted record that are missing because its pack had none of them.

    For a record that was run here, the list is empty.
    """
    missing = record.accepted.missing if record.accepted else []
    return [name for name in missing if name in record.files and not (folder / name).exists()]


def left_out_note(folder: Path, record: Record) -> str:
    """Return the error message for files of a record that was accepted without them."""
    by = record.accepted.by if record.accepted else ""
    return (
        f"{folder}: {' and '.join(left_out(folder, record))} of {record.key} were not in the pack "
        f"of {by} that it was accepted from, so nothing that requires them can be verified or run; "
        "ask for a pack with --weights, or run its suite again with --force"
    )


def write(file: Path, document: Record | Failure | Profile | Feasibility) -> None:
    """Write a document atomically."""
    documents.write_bytes(file, documents.encode(document))
