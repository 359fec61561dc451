"""Records on disk: one folder a trial, committed by an atomic `record.json`, never pickle.

results/<dataset>/<model>/<loss>/seed<seed>-<key>/
    record.json          the trial is done (see `Record`); written last
    predictions.parquet  see `bench.evaluation.predictions`
    weights.safetensors  the tested weights
    last.safetensors     those of the last epoch, where an earlier one was tested
    failure.json         the last attempt failed (see `Failure`); gone once it is done
    checkpoint.pt        where training stood (see `bench.training.checkpoint`); gone likewise
    log.txt              what the worker said
results/profiles/<key>.json
                         what a model and loss cost on one hardware (see `Profile`)
"""

from __future__ import annotations

import glob
import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.evaluation.metrics.error_rates import ErrorRates
from bench.trials.provenance import Provenance
from bench.trials.records import Epoch

if TYPE_CHECKING:
    from bench.trials.grid import Trial

SCHEMA = 1
RECORD, FAILURE, LOG = "record.json", "failure.json", "log.txt"
PREDICTIONS = "predictions.parquet"
WEIGHTS, LAST_WEIGHTS = "weights.safetensors", "last.safetensors"
CHECKPOINT = "checkpoint.pt"
PROFILES = "profiles"
_LITTER_SECONDS = 3600
T = TypeVar("T")


@dataclass(frozen=True)
class Timings:
    """Seconds of wall time: reading the data, training, validating, testing.

    Training and validating count all attempts that a checkpoint carried over.
    """

    data: float
    training: float
    validation: float
    test: float

    @property
    def total(self) -> float:
        """The sum of all."""
        return self.data + self.training + self.validation + self.test


@dataclass(frozen=True)
class Parameters:
    """Number of weights of model and classifier."""

    total: int
    trainable: int


Cause = Literal["configuration", "error", "out of memory", "timeout", "lost node", "lost worker"]


@dataclass(frozen=True)
class Attempt:
    """A failed attempt at a trial."""

    cause: Cause
    message: str
    finished: str


@dataclass(frozen=True)
class Record:
    """What a finished trial left. `files` are SHA-256 sums of its neighbours in the folder.

    `attempts` are those of the same run that failed before. Where `weights_of` names another trial,
    of the same `training_key`, that one trained them.
    """

    key: str
    spec: dict[str, Any]
    labels: dict[str, str]
    seed: int
    metrics: dict[str, ErrorRates]
    curve: list[Epoch]
    selected_epoch: int
    parameters: Parameters
    timings: Timings
    provenance: Provenance
    files: dict[str, str]
    attempts: list[Attempt] = field(default_factory=list)
    training_key: str = ""
    weights_of: str = ""
    schema: int = SCHEMA


@dataclass(frozen=True)
class Failure:
    """Why a trial ended without a record: all attempts of one run, the last one last."""

    key: str
    spec: dict[str, Any]
    labels: dict[str, str]
    seed: int
    attempts: list[Attempt]
    schema: int = SCHEMA

    @property
    def cause(self) -> Cause:
        """The cause of the last attempt."""
        return self.attempts[-1].cause

    @property
    def message(self) -> str:
        """What is known of the last attempt."""
        return self.attempts[-1].message


@dataclass(frozen=True)
class Figure:
    """One latency at one batch size: from inputs to logits or, `decoded`, on to labels.

    `milliseconds` are the raw samples in order, `p50` and `p90` of them by nearest rank. Where it
    is not `valid`, `reason` says why, and no board shows it.
    """

    batch: int
    decoded: bool
    p50: float
    p90: float
    valid: bool
    reason: str
    milliseconds: list[float]


@dataclass(frozen=True)
class Profile:
    """What a model with a loss's classifier costs at one input shape, on one hardware.

    `datasets` are the specs of those that have this shape, `macs` those of a forward pass of one
    sample, `weights` the key of the trial they are from (None: untrained).
    """

    key: str
    spec: dict[str, Any]
    labels: dict[str, str]
    datasets: list[dict[str, Any]]
    hardware: str
    parameters: Parameters
    macs: int
    weights: str | None
    figures: list[Figure]
    provenance: Provenance
    schema: int = SCHEMA

    @property
    def valid(self) -> bool:
        """Whether every figure is; what is not is measured again."""
        return all(figure.valid for figure in self.figures)


class Store:
    """The records under one folder. Workers write, everyone reads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folder. Raises BenchError where nothing can be written into it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise BenchError(
                f"{self.root}: no record can be written there ({error.strerror}); "
                "name another folder with --results"
            ) from None

    def folder(self, trial: Trial) -> Path:
        """Return where `trial` leaves its files."""
        parts = (trial.dataset.name, trial.model.name, trial.loss.name)
        return self.root.joinpath(*parts) / f"seed{trial.seed}-{trial.key}"

    def record(self, trial: Trial) -> Record | None:
        """Return the record of `trial`, or None while it has none."""
        file = self.folder(trial) / RECORD
        return read(file, Record) if file.exists() else None

    def failure(self, trial: Trial) -> Failure | None:
        """Return how the last attempt at `trial` failed, or None."""
        file = self.folder(trial) / FAILURE
        return read(file, Failure) if file.exists() else None

    def siblings(self, trial: Trial) -> Iterator[Record]:
        """Yield the readable records of the same names and seed under other keys, newest first."""
        files = self.folder(trial).parent.glob(f"seed{trial.seed}-*/{RECORD}")
        others = [file for file in files if file.parent != self.folder(trial)]
        for file in sorted(others, key=lambda file: (-file.stat().st_mtime_ns, file)):
            # They only explain and estimate: one of another schema must not stop a run.
            with suppress(BenchError):
                yield read(file, Record)

    def trained(self, trial: Trial) -> tuple[Path, Record] | None:
        """Return folder and record of another trial that trained the weights `trial` would have."""
        if trial.training_key == trial.key:
            return None
        names = map(glob.escape, (trial.model.name, trial.loss.name, f"seed{trial.seed}-"))
        files = self.root.glob("/".join(("*", *names)) + f"*/{RECORD}")
        # The newest, as others may be of before a run that was forced.
        for file in sorted(files, key=lambda file: (-file.stat().st_mtime_ns, file)):
            with suppress(BenchError):
                found = read(file, Record)
                alike = found.training_key == trial.training_key and found.key != trial.key
                if alike and not found.weights_of:
                    return file.parent, found
        return None

    def begin(self, trial: Trial) -> Path:
        """Make the folder of `trial`, clear what an earlier attempt left, and return it."""
        folder = self.folder(trial)
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob(".*.part"):
            if time.time() - part.stat().st_mtime > _LITTER_SECONDS:
                part.unlink(missing_ok=True)
        for name in (FAILURE, LOG):
            (folder / name).unlink(missing_ok=True)
        return folder

    def profiles(self) -> Iterator[Profile]:
        """Yield the readable profiles, in order of their keys."""
        for file in sorted(self.root.glob(f"{PROFILES}/*.json")):
            # One of another schema is measured anew: it must not stop a run or a board.
            with suppress(BenchError):
                yield read(file, Profile)

    def profile(self, key: str) -> Profile | None:
        """Return the profile under `key`, or None where there is none that can be read."""
        return next((profile for profile in self.profiles() if profile.key == key), None)

    def keep(self, profile: Profile) -> Path:
        """Write `profile` under its key, in place of an earlier one, and return its file."""
        file = self.root / PROFILES / f"{profile.key}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, profile)
        return file

    def find(self, word: str) -> tuple[Path, Record | Failure]:
        """Return the trial whose key begins with `word`, or whose folder that is.

        A trial that has both a record and a failure is the record. Raises BenchError on none, or
        on several.
        """
        keyed = self.root.glob(f"*/*/*/seed*-{glob.escape(word)}*")
        folders = [path for path in (Path(word), *keyed) if _content(path)]
        if len(folders) != 1:
            fault = "no trial has" if not folders else f"{len(folders)} trials have"
            raise BenchError(
                f"{self.root}: {fault} left anything under a key that begins with '{word}'; "
                "`bench status` lists the keys"
            )
        file, kind = _content(folders[0]) or (RECORD, Record)
        return folders[0], read(folders[0] / file, kind)


def _content(folder: Path) -> tuple[str, type[Record | Failure]] | None:
    kinds: dict[str, type[Record | Failure]] = {RECORD: Record, FAILURE: Failure}
    return next(((name, kind) for name, kind in kinds.items() if (folder / name).is_file()), None)


def read(file: Path, kind: type[T]) -> T:
    """Read one record, failure or profile. Raises BenchError where it is not one of this schema."""
    return documents.read(
        file,
        kind,
        SCHEMA,
        noun=kind.__name__.lower(),
        remedy="move the folder away and run its trial again",
    )


def content(folder: Path, record: Record, name: str) -> bytes:
    """Return the file `name` that `record` left in `folder`.

    Raises BenchError (unverified) where it is gone, or is not what the record's checksum says.
    """
    file = folder / name
    found = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(found).hexdigest() != record.files.get(name):
        fault = "is not what its record says" if found else "is gone"
        raise BenchError(
            f"{file}: this file of {record.key} {fault}; restore it, or run its trial again "
            "with --force",
            Exit.UNVERIFIED,
        )
    return found


def write(file: Path, content: Record | Failure | Profile) -> None:
    """Write a record, a failure or a profile atomically."""
    documents.write_bytes(file, documents.encode(content))
