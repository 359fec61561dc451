"""Records on disk: one folder per task, committed by an atomic document, never pickle.

results/trainings/<model>/<loss>/seed<seed>-<key>/
    training.json        the training is done (`TrainingRecord`); written last
    weights.safetensors  the weights that the recipe selects
    last.safetensors     those of the last step, where others were selected
    checkpoint.pt        state of an unfinished training (`bench.training.checkpoint`)
results/evaluations/<test>/<model>/<loss>/seed<seed>-<key>/
results/evaluations/<test>/<recognizer>/<origin>/seed0-<key>/
    evaluation.json      the evaluation is done (`EvaluationRecord`); written last
    predictions.parquet  see `bench.evaluation.predictions`
    readings.jsonl       what a recognizer from outside has read so far, while it is unfinished
both:
    failure.json         the last attempt failed (`Failure`); removed once the task is done
    log.txt              the worker's events
results/profiles/<key>.json
                         what a model, loss and decoder cost on one machine (`Profile`)
results/feasibility/<key>.json
                         how many targets are longer than the output (`Feasibility`)
results/leases/          who works on which task at the moment (`bench.trials.leases`)
results/answers/         what recognizers from outside keep between runs, such as paid answers
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
"""Bytes of a file of weights that is read."""
DEPTHS = {"trainings": "*/*", "evaluations": "*/*/*"}
T = TypeVar("T")


class Store:
    """The records under one folder. Workers write, everyone reads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folder. Raises BenchError where nothing can be written into it."""
        require_writable(self.root, "name another folder with --results")

    def folder(self, task: Task) -> Path:
        """Return where `task` leaves its files."""
        return self.root / task.path

    def log(self, task: Task) -> Path | None:
        """Return the log of the last attempt at `task`, None where there is none."""
        file = self.folder(task) / LOG
        return file if file.is_file() else None

    @property
    def answers(self) -> Path:
        """The folder of what recognizers from outside keep between runs."""
        return self.root / _ANSWERS

    @overload
    def record(self, task: Training) -> TrainingRecord | None: ...
    @overload
    def record(self, task: Evaluation) -> EvaluationRecord | None: ...
    def record(self, task: Task) -> Record | None:
        """Return the record of `task`, or None while it has none.

        Raises:
            BenchError: (unverified) There is one, and it cannot be read or is of another task.
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
        """Return when the record and the failure of `task` were written, in ns; None: not yet."""
        folder = self.folder(task)
        record, failure = (_written(folder / name) for name in (RECORDS[task.kind], FAILURE))
        return record, failure

    def failure(self, task: Task) -> Failure | None:
        """Return how the last attempt at `task` failed, or None."""
        file = self.folder(task) / FAILURE
        if not is_there(file):
            return None
        try:
            return read(file, Failure)
        except BenchError as error:
            # It only explains: that there is one says that the attempt failed.
            attempt = Attempt("error", str(error), "")
            return Failure(task.key, task.spec, task.labels, task.seed, [attempt])

    def siblings(self, task: Task) -> Iterator[Record]:
        """Yield the readable records of the same names and seed under other keys, newest first."""
        folders = self.folder(task).parent.glob(f"seed{task.seed}-*")
        files = [folder / RECORDS[task.kind] for folder in folders if folder != self.folder(task)]
        others = [file for file in files if is_there(file)]
        for file in sorted(others, key=lambda file: (-file.lstat().st_mtime_ns, file)):
            # They only explain and estimate: one of another schema must not stop a run.
            with suppress(BenchError):
                yield read_record(file)

    def begin(self, task: Task) -> Path:
        """Make the folder of `task`, remove what an earlier attempt left, and return it."""
        folder = self.folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        documents.remove_parts(folder)
        for name in (FAILURE, LOG):
            (folder / name).unlink(missing_ok=True)
        return folder

    def records(self, kind: Kind) -> list[Path]:
        """Return the files of all records of a kind, in order of their paths."""
        folders = self.root.glob(f"{kind}s/{DEPTHS[f'{kind}s']}/seed*")
        files = (folder / RECORDS[kind] for folder in folders)
        return sorted(file for file in files if is_there(file))

    def evaluations(self, faults: list[str]) -> Iterator[tuple[Path, EvaluationRecord]]:
        """Yield the evaluations that can be read, each with its folder, in order of their paths.

        Args:
            faults: Is given the sentence on each of the others.
        """
        for file in self.records("evaluation"):
            try:
                yield file.parent, read(file, EvaluationRecord)
            except BenchError as error:
                faults.append(str(error))

    def training(self, key: str) -> tuple[Path, TrainingRecord]:
        """Return folder and record of the training `key`.

        Raises:
            BenchError: It is gone (unverified), or cannot be read.
        """
        folders = self.root.glob(f"trainings/*/*/seed*-{glob.escape(key)}")
        files = [folder / TRAINING for folder in folders if is_there(folder / TRAINING)]
        if len(files) != 1:
            raise BenchError(
                f"{self.root}: training {key} is gone; run its suite again with `bench run`",
                Exit.UNVERIFIED,
            )
        record = read(files[0], TrainingRecord)
        if record.key != key:
            raise _misplaced(files[0], record)
        return files[0].parent, record

    def find(self, word: str) -> tuple[Path, Record | Failure]:
        """Return the task whose key begins with `word`, or whose folder that is.

        Of a task that has both a record and a failure, the record. Raises BenchError on none, or
        on several.
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
            # One of another schema is measured again: it must not stop a run or a board.
            with suppress(BenchError):
                yield read(file, Profile)

    def profile(self, key: str) -> Profile | None:
        """Return the profile under `key`, or None where there is none that can be read."""
        return self._optional(_PROFILES, key, Profile)

    def feasibility(self, key: str) -> Feasibility | None:
        """Return the feasibility under `key`, or None where there is none that can be read."""
        return self._optional(_FEASIBILITY, key, Feasibility)

    def unreadable_measurements(self) -> Iterator[str]:
        """Yield the sentence on each profile and each feasibility that cannot be read.

        Elsewhere they are passed over, for they are made again.
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
        """Write a document under its key, in place of an earlier one, and return its file."""
        folder = _PROFILES if isinstance(document, Profile) else _FEASIBILITY
        file = self.root / folder / f"{document.key}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, document)
        return file


def _written(file: Path) -> int | None:
    # A link that leads to itself is damaged, which is said where it is read.
    with suppress(OSError):
        return file.stat().st_mtime_ns
    return None


def _document(folder: Path) -> Path | None:
    return next((folder / name for name in _DOCUMENTS if is_there(folder / name)), None)


def read_record(file: Path) -> Record:
    """Read a training's or an evaluation's record, by the name of its file."""
    if file.name == TRAINING:
        return read(file, TrainingRecord)
    return read(file, EvaluationRecord)


def read(file: Path, kind: type[T]) -> T:
    """Read one document. Raises BenchError (unverified) where it is not of this schema, or odd."""
    return documents.read(
        file, kind, SCHEMA, noun=_noun(kind), remedy=_remedy(file), check=record_checks.check
    )


def parse(content: bytes, kind: type[T], *, source: str, remedy: str) -> T:
    """Return what `read` does, of JSON that is at hand; errors begin with its `source`."""
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
        f"{file}: this is the record of {record.key}, seed {record.seed}, which is not that of its "
        f"folder; {_remedy(file)}",
        Exit.UNVERIFIED,
    )


def _noun(kind: type) -> str:
    return kind.__name__.removesuffix("Record").lower()


def _remedy(file: Path) -> str:
    if file.name in _DOCUMENTS:
        return "restore it, or move the folder away and run its suite again"
    return "remove it, and it is made again"


def content(folder: Path, record: Record, name: str) -> bytes:
    """Return the file `name` that `record` left in `folder`.

    Raises BenchError (unverified) where it is gone, or is not what the record's checksum says.
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
        fault = "is not what its record says" if held else "is gone"
        raise BenchError(
            f"{file}: this file of {record.key} {fault}; restore it, or run its suite again "
            "with --force",
            Exit.UNVERIFIED,
        )
    return held


def predictions_of(folder: Path, record: EvaluationRecord) -> pa.Table:
    """Return the table of predictions that `record` left in `folder`.

    Raises:
        BenchError: (unverified) It is gone, is not what the record's checksum says, or is not a
            table of predictions with the metrics of the record.
    """
    from bench.evaluation import predictions

    file = folder / PREDICTIONS
    table = predictions.predictions_from_bytes(content(folder, record, PREDICTIONS), file)
    if missing := sorted(record.spec["metrics"].keys() - {*table.column_names}):
        raise BenchError(
            f"{file}: there is no metric '{missing[0]}' in it, which its record has; evaluate "
            "again with --force",
            Exit.UNVERIFIED,
        )
    return table


def left_out(folder: Path, record: Record) -> list[str]:
    """Return the files of a record in `folder` that are not there as their pack did not have them.

    A record that was run here has none.
    """
    missing = record.accepted.missing if record.accepted else []
    return [name for name in missing if name in record.files and not (folder / name).exists()]


def left_out_note(folder: Path, record: Record) -> str:
    """Return the sentence on files of a record that was accepted without them."""
    by = record.accepted.by if record.accepted else ""
    return (
        f"{folder}: {' and '.join(left_out(folder, record))} of {record.key} were not in the pack "
        f"of {by} that it was accepted from, so that what reads them cannot be verified or run; "
        "ask for a pack with --weights, or run its suite again with --force"
    )


def write(file: Path, document: Record | Failure | Profile | Feasibility) -> None:
    """Write a document atomically."""
    documents.write_bytes(file, documents.encode(document))
