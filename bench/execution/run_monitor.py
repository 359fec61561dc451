"""The state of a run while it runs, also for other processes (`bench.trials.live_runs`).

The thread of the run keeps the state up to date. Another thread writes it to disk, so that a slow
disk does not delay the run, and reads requests to cancel. Errors of writing are ignored.
"""

from __future__ import annotations

import math
import os
import secrets
import shlex
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from bench.core.printable import in_one_line
from bench.execution.progress import ProgressFormat, make_reporter
from bench.trials import live_runs
from bench.trials.durations import RemainingTask, SimilarTasks, expected, remaining_task, time_left
from bench.trials.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    FinishedElsewhere,
    HeldElsewhere,
    NotRun,
    Progress,
    Retried,
    SamplesRead,
    Started,
    Validated,
    describe,
)
from bench.trials.leases import Leases
from bench.trials.live_runs import UNFINISHED, LiveRun, LiveTask, Profiling, State

if TYPE_CHECKING:
    from bench.execution.schedule import Schedule
    from bench.trials.specs import Task
    from bench.trials.store import Store

_EVERY_SECONDS = 1.0
_MAX_SHARE = 0.02
"""The largest share of its time for which the other thread may encode and write the state."""
_MAX_CURVE = 200
_STATES: dict[type[Event], State] = {
    Started: "running",
    Retried: "queued",
    HeldElsewhere: "held elsewhere",
    Finished: "done",
    FinishedElsewhere: "done",
    Failed: "failed",
    Cancelled: "cancelled",
    NotRun: "not run",
}


class RunMonitor:
    """The state of a run: in a `with` block it is reported on stderr and to other processes.

    Args:
        store: Where its records are.
        suite: The suite that is run.
        executor: The name of the executor.
        durations: The seconds that earlier tasks took.
        log_format: `text`, `json` for a line of JSON per event, or `none`.
        command: The command that other processes show; empty: the command line of this process.

    Attributes:
        run: The state.
        cancelled: The tasks that a user has cancelled.
    """

    def __init__(
        self,
        store: Store,
        *,
        suite: str = "",
        executor: str = "",
        durations: SimilarTasks | None = None,
        log_format: ProgressFormat = "text",
        command: str = "",
    ) -> None:
        identity = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        command = command or shlex.join(["bench", *sys.argv[1:]])
        self.run = LiveRun(identity, suite, in_one_line(command), executor)
        self.cancelled: list[Task] = []
        self._root = store.root
        self._reporter = make_reporter(log_format, store)
        self._earlier, self._here = durations or SimilarTasks(), SimilarTasks()
        self._tasks: dict[str, Task] = {}
        self._live: dict[str, LiveTask] = {}
        self._began: dict[str, float] = {}
        self._reported: dict[str, float] = {}
        self._lock = threading.Lock()
        self._requests: list[str] = []
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        self._interrupted = False
        self._estimated = -math.inf
        self._ended = threading.Event()
        self._published = ExitStack()

    def __enter__(self) -> Self:
        # If the disk is full or read-only, other processes see nothing of the run.
        with suppress(OSError), ExitStack() as published:
            leases = published.enter_context(Leases(self._root))
            leases.take(live_runs.lease_name(self.run.id))
            live_runs.remove_ended(self._root)
            (self._root / live_runs.FOLDER).mkdir(parents=True, exist_ok=True)
            published.callback(live_runs.remove, self._root, self.run.id)
            writer = threading.Thread(target=self._write_state, daemon=True)
            writer.start()
            published.callback(writer.join)
            published.callback(self._ended.set)
            self._published = published.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reporter.close()
        self._published.close()

    def plan(self, tasks: Sequence[Task], names: Mapping[str, str]) -> None:
        """Set the tasks of the run."""
        trainings = {task.key for task in tasks if task.kind == "training"}
        with self._lock:
            for task in tasks:
                live = LiveTask(task.key, names[task.key], task.kind, str(task.path))
                if remaining_task(task, None).needs in trainings:
                    live.state = "waits for training"
                self._tasks[task.key], self._live[task.key] = task, live
            self.run.tasks = [*self._live.values()]
        self._reporter.begin(names, len(tasks))

    def phase(self, name: str) -> None:
        """Begin the next phase of the run, and report it."""
        if name and name != self.run.phase:
            self.run.phase = name
            self._reporter.phase(name)

    def profiling(self, number: int, total: int, name: str) -> None:
        """Begin one of the measurements, and report it."""
        self.run.phase, self.run.profiling = "profiling", Profiling(number, total, name)
        self._reporter.profiling(number, total, name)

    def watch(self, schedule: Schedule) -> list[str]:
        """Update which tasks are starting; return the keys of the tasks to cancel.

        Raises:
            KeyboardInterrupt: The run is cancelled, and is in a thread that receives no signals.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        with self._lock:
            self.run.slots = schedule.slots
            submitted = [self._live[key] for key in schedule.running]
            free = schedule.slots - sum(task.state == "running" for task in submitted)
            unstarted = [task for task in submitted if task.state in {"queued", "starting"}]
            for task in unstarted[: max(free, 0)]:
                task.state = "starting"
        starting = min(len(unstarted), max(free, 0))
        if starting and not self._began:
            here = (
                ""
                if self.run.executor == "in-process"
                else f" on {starting} worker{'' if starting == 1 else 's'}"
            )
            self.phase(f"importing torch{here}")
        self._estimate_left()
        requests, self._requests = self._requests, []
        return requests

    def observe(self, task: Task, event: Event) -> None:
        """Update the state by an event of a task, and report the event."""
        if isinstance(event, Started):
            self.run.phase = "running tasks"
        with self._lock:
            self._update(task, event)
        self._estimate_left()
        self._reporter.show(task, event, self.run.left)

    def _update(self, task: Task, event: Event) -> None:
        live, now = self._live[task.key], time.monotonic()
        live.state = _STATES.get(type(event), live.state)
        live.text = describe(event)
        self._reported[task.key] = now
        match event:
            case Started(device, node):
                self._began[task.key] = now
                live.device, live.node = device, node
                live.started = datetime.now(UTC).isoformat(timespec="seconds")
            case Progress():
                live.step, live.steps, live.epoch = event.step, event.steps, event.epoch
                live.loss, live.speed, live.eta = event.loss, event.speed, event.eta
                live.validation_ler = event.validation_ler
            case Validated():
                live.validation_ler = event.ler
                points = live.curve[::2] if len(live.curve) >= _MAX_CURVE else live.curve
                live.curve = [*points, (event.epoch, event.ler)]
            case SamplesRead():
                live.step, live.steps = event.done, event.samples
                live.speed, live.eta = event.speed, event.eta
            case Finished():
                live.seconds, live.eta = event.seconds, None
                self._here.add(task, event.seconds)
                self._release(task)
            case FinishedElsewhere():
                self._release(task)
            case Cancelled():
                self.cancelled.append(task)

    def _release(self, training: Task) -> None:
        """Queue the evaluations of a training that is done."""
        for key, task in self._tasks.items():
            live = self._live[key]
            if (
                live.state == "waits for training"
                and remaining_task(task, None).needs == training.key
            ):
                live.state = "queued"

    def _estimate_left(self) -> None:
        """Update the seconds that the run still takes, at most once a second."""
        now = time.monotonic()
        if now - self._estimated >= _EVERY_SECONDS:
            self.run.left, self._estimated = self._estimate(now), now

    def _estimate(self, now: float) -> float | None:
        if not self.run.slots:
            return None
        # Tasks of this run precede earlier records, which may be of other recipes.
        progress = SimilarTasks()
        for key, live in self._live.items():
            if live.state == "running" and live.eta is not None:
                progress.add(self._tasks[key], self._reported[key] - self._began[key] + live.eta)
        running: list[RemainingTask] = []
        queued: list[RemainingTask] = []
        for key, live in self._live.items():
            if live.state in UNFINISHED:
                each = self._remaining_task(key, [self._here, progress, self._earlier], now)
                has_slot = live.state in {"starting", "running"}
                (running if has_slot else queued).append(each)
        return time_left(running, queued, self.run.slots)

    def _remaining_task(
        self, key: str, sources: Sequence[SimilarTasks], now: float
    ) -> RemainingTask:
        """Return a task with the seconds that it still takes: by its ETA, else by similar tasks."""
        task, live = self._tasks[key], self._live[key]
        if live.state == "running" and live.eta is not None:
            return remaining_task(task, max(live.eta - (now - self._reported[key]), 0.0))
        seconds = expected(task, sources)
        if seconds is not None and live.state == "running":
            seconds = max(seconds - (now - self._began[key]), 0.0)
        return remaining_task(task, seconds)

    def _write_state(self) -> None:
        """Write the state and read requests to cancel, again and again until the run ends."""
        file = self._root / live_runs.FOLDER / f"{self.run.id}.json"
        part = file.with_suffix(".part")
        before, pause = b"", 0.0
        while not self._ended.wait(pause):
            began = time.thread_time()
            with suppress(OSError):
                with self._lock:
                    content = msgspec.json.encode(self.run)
                if content != before:
                    # Without fsync: after a crash of the machine the state has no use.
                    part.write_bytes(content)
                    part.replace(file)
                    before = content
            self._read_requests()
            pause = max(_EVERY_SECONDS, (time.thread_time() - began) / _MAX_SHARE)
        with suppress(OSError):
            part.unlink(missing_ok=True)

    def _read_requests(self) -> None:
        """Read and remove the requests to cancel that other processes have written."""
        requests = live_runs.take_requests(self._root, self.run.id)
        if live_runs.WHOLE_RUN in requests:
            if self._in_main_thread:
                # As Ctrl-C does; this also interrupts the start of Ray.
                os.kill(os.getpid(), signal.SIGINT)
            self._interrupted = True
        self._requests += [name for name in requests if name != live_runs.WHOLE_RUN]
