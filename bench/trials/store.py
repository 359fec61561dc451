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
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from bench.core import documents
from bench.core.disk import require_writable
from bench.core.errors import BenchError, Exit
from bench.trials.records import (
    SCHEMA,
    EvaluationRecord,
    Failure,
    Feasibility,
    Profile,
    Record,
    TrainingRecord,
)

if TYPE_CHECKING:
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
_DEPTHS = {"trainings": "*/*", "evaluations": "*/*/*"}
_STALE_FILE_SECONDS = 3600
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
        """Return the record of `task`, or None while it has none."""
        file = self.folder(task) / RECORDS[task.kind]
        return read_record(file) if file.exists() else None

    def written(self, task: Task) -> tuple[int | None, int | None]:
        """Return when the record and the failure of `task` were written, in ns; None: not yet."""
        folder = self.folder(task)
        record, failure = (_written(folder / name) for name in (RECORDS[task.kind], FAILURE))
        return record, failure

    def failure(self, task: Task) -> Failure | None:
        """Return how the last attempt at `task` failed, or None."""
        file = self.folder(task) / FAILURE
        return read(file, Failure) if file.exists() else None

    def siblings(self, task: Task) -> Iterator[Record]:
        """Yield the readable records of the same names and seed under other keys, newest first."""
        files = self.folder(task).parent.glob(f"seed{task.seed}-*/{RECORDS[task.kind]}")
        others = [file for file in files if file.parent != self.folder(task)]
        for file in sorted(others, key=lambda file: (-file.stat().st_mtime_ns, file)):
            # They only explain and estimate: one of another schema must not stop a run.
            with suppress(BenchError):
                yield read_record(file)

    def begin(self, task: Task) -> Path:
        """Make the folder of `task`, remove what an earlier attempt left, and return it."""
        folder = self.folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob(".*.part"):
            if time.time() - part.stat().st_mtime > _STALE_FILE_SECONDS:
                part.unlink(missing_ok=True)
        for name in (FAILURE, LOG):
            (folder / name).unlink(missing_ok=True)
        return folder

    def records(self, kind: Kind) -> list[Path]:
        """Return the files of all records of a kind, in order of their paths."""
        return sorted(self.root.glob(f"{kind}s/{_DEPTHS[f'{kind}s']}/seed*/{RECORDS[kind]}"))

    def training(self, key: str) -> tuple[Path, TrainingRecord]:
        """Return folder and record of the training `key`.

        Raises:
            BenchError: It is gone (unverified), or cannot be read.
        """
        files = [*self.root.glob(f"trainings/*/*/seed*-{glob.escape(key)}/{TRAINING}")]
        if len(files) != 1:
            raise BenchError(
                f"{self.root}: training {key} is gone; run its suite again with `bench run`",
                Exit.UNVERIFIED,
            )
        return files[0].parent, read(files[0], TrainingRecord)

    def find(self, word: str) -> tuple[Path, Record | Failure]:
        """Return the task whose key begins with `word`, or whose folder that is.

        Of a task that has both a record and a failure, the record. Raises BenchError on none, or
        on several.
        """
        paths = [
            path
            for kind, depth in _DEPTHS.items()
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

    def _optional(self, folder: str, key: str, kind: type[T]) -> T | None:
        file = self.root / folder / f"{key}.json"
        with suppress(BenchError):
            return read(file, kind) if file.is_file() else None
        return None

    def keep(self, document: Profile | Feasibility) -> Path:
        """Write a document under its key, in place of an earlier one, and return its file."""
        folder = _PROFILES if isinstance(document, Profile) else _FEASIBILITY
        file = self.root / folder / f"{document.key}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, document)
        return file


def _written(file: Path) -> int | None:
    with suppress(FileNotFoundError):
        return file.stat().st_mtime_ns
    return None


def _document(folder: Path) -> Path | None:
    return next((folder / name for name in _DOCUMENTS if (folder / name).is_file()), None)


def read_record(file: Path) -> Record:
    """Read a training's or an evaluation's record, by the name of its file."""
    if file.name == TRAINING:
        return read(file, TrainingRecord)
    return read(file, EvaluationRecord)


def read(file: Path, kind: type[T]) -> T:
    """Read one document. Raises BenchError where it is not of this schema."""
    return documents.read(
        file,
        kind,
        SCHEMA,
        noun=kind.__name__.removesuffix("Record").lower(),
        remedy="move the folder away and run its suite again",
    )


def content(folder: Path, record: Record, name: str) -> bytes:
    """Return the file `name` that `record` left in `folder`.

    Raises BenchError (unverified) where it is gone, or is not what the record's checksum says.
    """
    file = folder / name
    held = file.read_bytes() if file.is_file() else b""
    if name in left_out(folder, record):
        raise BenchError(left_out_note(folder, record), Exit.UNVERIFIED)
    if hashlib.sha256(held).hexdigest() != record.files.get(name):
        fault = "is not what its record says" if held else "is gone"
        raise BenchError(
            f"{file}: this file of {record.key} {fault}; restore it, or run its suite again "
            "with --force",
            Exit.UNVERIFIED,
        )
    return held


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
