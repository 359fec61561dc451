"""All tasks side by side on Ray, each in a process of its own below a reused worker of Ray."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# Ray reads these when it is imported. Its uv hook would build a new environment for each worker;
# the workers of bench run in the environment of the driver.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError

from bench.core.errors import BenchError
from bench.data.store import data_dir
from bench.execution.task_process import start_task
from bench.tasks.task import failed_attempt
from bench.trials.events import Event, Failed, Finished, Started
from bench.trials.records import Attempt
from bench.trials.specs import Task

if TYPE_CHECKING:
    from bench.execution.schedule import Report
    from bench.trials.records import Cause
    from bench.trials.store import Store


# What tasks send is small, and a dashboard would be one more open port.
_OWN_CLUSTER: dict[str, Any] = {
    "include_dashboard": False,
    "object_store_memory": 128 * 2**20,
}
_WAIT_SECONDS = 0.5
_CHECK_SECONDS = 1.0
_PROBE_SECONDS = 5.0


@contextmanager
def connect(address: str | None = None) -> Iterator[RayExecutor]:
    """Start a Ray cluster on this machine, or join the one at `address`; leave it in the end.

    Raises BenchError where no cluster answers at `address`, or none starts.
    """
    # Workers that this process does not start do not have its environment.
    environment = {"runtime_env": {"env_vars": {data_dir.VARIABLE: str(data_dir.folder())}}}
    where, options = (address, environment) if address else ("local", _OWN_CLUSTER)
    try:
        _probe(where)
        with _signals_kept():
            ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, **options)
    except Exception as error:  # noqa: BLE001 (Ray raises a plain Exception where it is too slow)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BenchError(
            f"no Ray cluster answers at '{address}' ({reason}); start one with `ray start --head`, "
            "or leave --address out"
            if address
            else f"Ray does not start on this machine ({reason}); try again when it is less busy, "
            "or run with --executor inline"
        ) from None
    try:
        yield RayExecutor()
    finally:
        ray.shutdown()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Restore the SIGTERM handler, which Ray replaces by its own stack trace and exit code."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


class RayExecutor:
    """Runs tasks on the Ray cluster that this process is connected to.

    A process, a worker or a node that dies fails its own task only.
    """

    def __init__(self) -> None:
        self._streams: dict[ray.ObjectRefGenerator, Task] = {}
        self._started: set[str] = set()
        self._checked = time.monotonic()

    def check(self, task: Task) -> None:
        """Raise BenchError where no node of the cluster is large enough for `task`."""
        reservation(task)

    def capacity(self, task: Task) -> int:
        """Return how many tasks like `task` the cluster's nodes can run at once."""
        nodes = _nodes()
        wanted = {kind: amount for kind, amount in _wanted(task, nodes).items() if amount}
        slots = (min(node.get(kind, 0) // n for kind, n in wanted.items()) for node in nodes)
        return max(1, int(sum(slots)))

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Hand a task to Ray, which starts it where its resources are free."""
        wanted = _wanted(task, _nodes())
        remote = _task.options(num_cpus=wanted["CPU"], num_gpus=wanted["GPU"])
        self._streams[remote.remote(task, store, [*attempts])] = task

    def poll(self) -> list[Report]:
        """Wait a moment for events of all tasks."""
        if not self._streams:
            return []
        ready, _ = ray.wait(list(self._streams), timeout=_WAIT_SECONDS, fetch_local=False)
        reports: list[Report] = [(self._streams[stream], self._next(stream)) for stream in ready]
        if time.monotonic() - self._checked >= _CHECK_SECONDS:
            self._checked = time.monotonic()
            reports += self._without_node()
        return reports

    def cancel(self, task: Task) -> None:
        """Kill the worker of a task, or take the task out of the queue."""
        for stream, other in [*self._streams.items()]:
            if other.key == task.key:
                ray.cancel(stream, force=True)
                self._forget(stream)

    def close(self) -> None:
        """Kill the workers of all tasks."""
        for task in [*self._streams.values()]:
            self.cancel(task)

    def _next(self, stream: ray.ObjectRefGenerator) -> Event | Attempt:
        """Return the next event of a task, or how this attempt at it failed."""
        task = self._streams[stream]
        try:
            report: Event | Attempt = ray.get(next(stream))
        except (RayError, StopIteration) as error:
            self._forget(stream)
            if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
                # The worker lives; the fault came before or after the task, such as a missing disk.
                return failed_attempt("error", f"{type(error.cause).__name__}: {error.cause}")
            message = (str(error).strip() or "it ended without a message").splitlines()[0]
            return failed_attempt(_cause(error), f"{type(error).__name__}: {message}")
        if isinstance(report, Started):
            self._started.add(task.key)
        if isinstance(report, Finished | Failed | Attempt):
            self._forget(stream)
        return report.failure.attempts[-1] if isinstance(report, Failed) else report

    def _forget(self, stream: ray.ObjectRefGenerator) -> None:
        task = self._streams.pop(stream)
        self._started.discard(task.key)

    def _without_node(self) -> list[Report]:
        """Take out of the queue what waits for a node that is gone."""
        reports: list[Report] = []
        nodes = _nodes()
        for task in [*self._streams.values()]:
            if task.key not in self._started and (reason := _unfit(task, nodes)):
                self.cancel(task)
                reports.append((task, failed_attempt("lost node", reason)))
        return reports


def _cause(error: Exception) -> Cause:
    if isinstance(error, NodeDiedError):
        return "lost node"
    return "out of memory" if isinstance(error, OutOfMemoryError) else "lost worker"


def reservation(task: Task) -> dict[str, float]:
    """Return what `task` reserves. Raises BenchError where no node is large enough for it."""
    nodes = _nodes()
    if unfit := _unfit(task, nodes):
        raise BenchError(f"{unfit}; lower cpus, workers or gpus in the suite's resources")
    return _wanted(task, nodes)


def _unfit(task: Task, nodes: Sequence[dict[str, float]]) -> str | None:
    """Say why none of the nodes can ever take `task`, or None when one can."""
    wanted = _wanted(task, nodes)
    if any(all(node.get(kind, 0) >= amount for kind, amount in wanted.items()) for node in nodes):
        return None
    listed = ", ".join(f"{amount:g} {kind}" for kind, amount in wanted.items())
    return f"a task of this suite reserves {listed}; no node of the Ray cluster has as much"


def _wanted(task: Task, nodes: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return what to reserve: no GPU where the cluster has none."""
    wanted = task.resources
    gpus = wanted.gpus if any(node.get("GPU") for node in nodes) else 0.0
    return {"CPU": float(wanted.cpus + wanted.workers), "GPU": gpus}


def _nodes() -> list[dict[str, float]]:
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


# Retries are bench's own decision: Ray would repeat a task that takes its node down forever.
@ray.remote(max_retries=0)
def _task(task: Task, store: Store, attempts: list[Attempt]) -> Iterator[Event | Attempt]:
    """Run a task in a process below this worker, which imports no torch and sees no GPU."""
    process = start_task(task, store, attempts, assigned_gpus())
    try:
        yield from process.reports()
    finally:
        process.kill()


def assigned_gpus() -> list[str]:
    """Return the ids of the GPUs that Ray has assigned to what this worker runs at the moment."""
    return [str(one) for one in ray.get_gpu_ids()]


def _probe(address: str) -> None:
    """Raise OSError where nothing listens at `address`: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PROBE_SECONDS).close()
