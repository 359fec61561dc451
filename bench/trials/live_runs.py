"""The state of current runs, for other processes.

results/runs/<id>.json        the state of a run (`LiveRun`); removed at its end
results/runs/<id>.cancel/     requests to cancel a task or the run: files named by the task's key

A run has the lease `run-<id>` (`bench.trials.leases`) as long as it lasts.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from bench.core.regular_files import read_regular
from bench.trials.leases import Holder, is_held
from bench.trials.specs import Kind

SCHEMA = 1
FOLDER = "runs"
WHOLE_RUN = "run"
"""The name of a request to cancel all of a run; no task has it for a key."""
_MAX_BYTES = 2**26
_LEASE = "run-"
State = Literal[
    "queued",
    "waits for training",
    "held elsewhere",
    "starting",
    "running",
    "done",
    "failed",
    "cancelled",
    "not run",
]
UNFINISHED: frozenset[State] = frozenset(
    {"queued", "waits for training", "held elsewhere", "starting", "running"}
)


@dataclass
class LiveTask:
    """A task of a run.

    Attributes:
        key: Its key.
        name: Its name in its suite.
        kind: Whether it is a training or an evaluation.
        folder: Its folder below the results.
        state: `starting`: it has a slot and no device yet; `held elsewhere`: another process works
            on it; `not run`: its training failed or was cancelled.
        text: The last event in one line.
        node: The machine that it runs on.
        device: The device that it runs on.
        started: The start of the last attempt, in UTC.
        seconds: Its duration, once it is done.
        step: Completed steps or samples.
        steps: The number of steps or samples; 0 while unknown.
        epoch: Completed epochs, as a fraction.
        loss: The mean loss since the last validation.
        speed: Samples per second.
        eta: Seconds left of this task.
        validation_ler: The label error rate of the last validation.
        curve: Epoch and label error rate of each validation.
    """

    key: str
    name: str
    kind: Kind
    folder: str
    state: State = "queued"
    text: str = ""
    node: str = ""
    device: str = ""
    started: str = ""
    seconds: float | None = None
    step: int = 0
    steps: int = 0
    epoch: float | None = None
    loss: float | None = None
    speed: float | None = None
    eta: float | None = None
    validation_ler: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Profiling:
    """The progress of profiling at the end of a run: measurement `number` of `total`."""

    number: int
    total: int
    name: str


@dataclass
class LiveRun:
    """A run at one moment.

    Attributes:
        id: The id of the run, which names its files.
        suite: The suite.
        command: The command line.
        executor: The executor.
        process: The process that drives it, with the time of its start.
        phase: Its phase: `starting Ray`, `running tasks`, `profiling`.
        slots: The largest number of tasks that run at once; 0 while unknown.
        left: Seconds until all tasks are done, without profiling; None: unknown.
        tasks: All tasks, in the order of the run.
        profiling: The progress of profiling, once it has begun.
        schema: The version of this document.
    """

    id: str
    suite: str
    command: str
    executor: str
    process: Holder = field(default_factory=Holder)
    phase: str = ""
    slots: int = 0
    left: float | None = None
    tasks: list[LiveTask] = field(default_factory=list)
    profiling: Profiling | None = None
    schema: int = SCHEMA

    @property
    def running(self) -> list[LiveTask]:
        """The tasks that have a slot."""
        return [task for task in self.tasks if task.state in {"starting", "running"}]

    @property
    def ended(self) -> int:
        """The number of tasks that have ended in any way."""
        return sum(task.state not in UNFINISHED for task in self.tasks)


def lease_name(run: str) -> str:
    """Return the name of the lease of a run."""
    return f"{_LEASE}{run}"


def live_runs(root: Path) -> list[LiveRun]:
    """Return the current runs in a folder of results, the oldest first."""
    runs = []
    for file in root.glob(f"{FOLDER}/*.json"):
        # A run that has just ended, or of another version of bench, is left out.
        with suppress(OSError, msgspec.DecodeError, ValueError):
            run = msgspec.json.decode(read_regular(file, _MAX_BYTES), type=LiveRun)
            named = run.id == file.stem and run.schema == SCHEMA
            if named and is_held(root, lease_name(run.id)):
                runs.append(run)
    return sorted(runs, key=lambda run: (run.process.since, run.id))


def is_unfinished(runs: list[LiveRun], key: str) -> bool:
    """Return whether one of the runs has not finished the task with this key, or will retry it."""
    return any(task.key == key and task.state in UNFINISHED for run in runs for task in run.tasks)


def request_cancel(root: Path, run: str, name: str) -> Path:
    """Request that a run cancels the task with the key `name`, or itself (`WHOLE_RUN`).

    Returns the file of the request, which the run removes once it has read it.

    Raises:
        OSError: It cannot be written; FileNotFoundError if the run has ended meanwhile.
    """
    folder = _requests(root, run)
    folder.mkdir(exist_ok=True)
    request = folder / name
    request.touch()
    return request


def take_requests(root: Path, run: str) -> list[str]:
    """Return the names in new requests to cancel, and remove the requests."""
    names = []
    with suppress(OSError):
        for request in sorted(_requests(root, run).iterdir()):
            request.unlink()
            names.append(request.name)
    return names


def remove_ended(root: Path) -> None:
    """Remove the files and leases of runs whose process was killed."""
    leases = {file.stem.removeprefix(_LEASE) for file in root.glob(f"leases/{_LEASE}*.json")}
    for run in leases | {file.stem for file in root.glob(f"{FOLDER}/*")}:
        if not is_held(root, lease_name(run)):
            remove(root, run)
            with suppress(OSError):
                (root / "leases" / f"{lease_name(run)}.json").unlink(missing_ok=True)


def remove(root: Path, run: str) -> None:
    """Remove the state file of a run and the requests to cancel it."""
    with suppress(OSError):
        for suffix in ("json", "part"):
            (root / FOLDER / f"{run}.{suffix}").unlink(missing_ok=True)
        shutil.rmtree(_requests(root, run), ignore_errors=True)
        (root / FOLDER).rmdir()


def _requests(root: Path, run: str) -> Path:
    return root / FOLDER / f"{run}.cancel"
