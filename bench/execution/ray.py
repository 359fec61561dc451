"""Run tasks in parallel on Ray, each in its own process below a worker that Ray reuses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.execution.ray_cluster import RayCluster, connected, current  # isort: skip  (before ray)
import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from bench.core.errors import BenchError, one_line
from bench.core.printable import first_line
from bench.execution.lost import await_signal
from bench.execution.task_process import start_task
from bench.tasks.task import failed_attempt
from bench.trials.events import Event, Failed, Finished, Listening, Started
from bench.trials.rank import Rank
from bench.trials.records import Attempt
from bench.trials.specs import Task

if TYPE_CHECKING:
    from bench.config.recipe import Resources
    from bench.execution.schedule import Report
    from bench.trials.records import Cause
    from bench.trials.store import Store


_WAIT_SECONDS = 0.5
_CHECK_SECONDS = 1.0


@contextmanager
def connect(address: str | None = None) -> Iterator[RayExecutor]:
    """Start a Ray cluster on this machine, or join the one at `address`; leave it in the end.

    Raises:
        BenchError: No cluster answers at `address` or takes this process, or none starts.
    """
    with connected(address) as cluster:
        yield RayExecutor(cluster)


@dataclass
class _Submitted:
    """A task that was handed to Ray.

    Attributes:
        task: The task.
        store: Where records are.
        attempts: Attempts of this run that failed before.
        reserved: The Ray resources that each of its processes reserves.
        group: The placement group of all its processes; None for a single process.
        started: Whether rank 0 has started on its device.
    """

    task: Task
    store: Store
    attempts: list[Attempt]
    reserved: dict[str, float]
    group: PlacementGroup | None = None
    started: bool = False


class RayExecutor:
    """Runs tasks on the Ray cluster that this process is connected to.

    A process, worker or node that dies fails only its own task. A training on several devices is a
    placement group with one bundle per device, so that either all or none are reserved.
    """

    def __init__(self, cluster: RayCluster) -> None:
        self._cluster = cluster
        self._streams: dict[ray.ObjectRefGenerator, tuple[_Submitted, Rank]] = {}
        self._checked = time.monotonic()

    def check(self, task: Task) -> None:
        """Raise BenchError where the cluster is not large enough for `task`."""
        reservation(task)

    def capacity(self, task: Task) -> int:
        """Return how many tasks like `task` the cluster's nodes can run at once."""
        nodes = _nodes()
        return max(1, _slots(_reservation(task, nodes), nodes) // task.resources.devices)

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Submit a task to Ray, which starts it once a node has its resources free."""
        nodes, devices = _nodes(), task.resources.devices
        task = task.with_resources(with_workers(task.resources, nodes))
        run = _Submitted(task, store, [*attempts], _reservation(task, nodes))
        if devices > 1:
            run.group = self._cluster.call(
                lambda: placement_group([run.reserved] * devices, strategy="PACK")
            )
        self._launch(run, Rank(count=devices))

    def poll(self) -> list[Report]:
        """Wait a moment for events of all tasks. Raises LostClusterError if the cluster is lost."""
        self._cluster.check()
        if not self._streams:
            return []
        ready, _ = ray.wait(list(self._streams), timeout=_WAIT_SECONDS, fetch_local=False)
        reports: list[Report] = []
        for stream in ready:
            # The streams of a training end together, so an earlier report may have removed it.
            if stream in self._streams:
                run, _ = self._streams[stream]
                if (report := self._next(stream)) is not None:
                    reports.append((run.task, report))
        if time.monotonic() - self._checked >= _CHECK_SECONDS:
            self._checked = time.monotonic()
            reports += self._fail_unfit()
        return reports

    def cancel(self, task: Task) -> None:
        """Kill the workers of a task, or take the task out of the queue."""
        for run, _ in [*self._streams.values()]:
            if run.task.key == task.key:
                self._end(run)

    def close(self) -> None:
        """Kill the workers of all tasks."""
        for run, _ in [*self._streams.values()]:
            self._end(run)

    def _launch(self, run: _Submitted, rank: Rank) -> None:
        """Start a process of a task, in its bundle of the placement group if it has one."""
        options: dict[str, Any] = {"num_cpus": run.reserved["CPU"], "num_gpus": run.reserved["GPU"]}
        if run.group:
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                run.group, placement_group_bundle_index=rank.number
            )
        remote = _task.options(**options)
        self._streams[remote.remote(run.task, run.store, run.attempts, rank)] = run, rank

    def _next(self, stream: ray.ObjectRefGenerator) -> Event | Attempt | None:
        """Return the next event of a task, or how this attempt at it failed."""
        run, rank = self._streams[stream]
        try:
            report: Event | Attempt = ray.get(next(stream))
        except (RayError, StopIteration) as error:
            await_signal()
            self._cluster.confirm()
            self._end(run, ended=stream)
            if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
                # The worker still runs: the error is from before or after the task, such as a
                # missing disk.
                return failed_attempt("error", one_line(error.cause))
            message = first_line(str(error)) or "it ended without a message"
            return failed_attempt(_cause(error), f"{type(error).__name__}: {message}")
        match report:
            case Listening(listening):
                for number in range(1, listening.count):
                    self._launch(run, replace(listening, number=number))
                return None
            case Finished() if not rank.leads:
                del self._streams[stream]
                return None
            case Started():
                run.started = True
            case Finished() | Failed() | Attempt():
                self._end(run, ended=stream)
        return report.failure.attempts[-1] if isinstance(report, Failed) else report

    def _end(self, run: _Submitted, ended: ray.ObjectRefGenerator | None = None) -> None:
        """Kill the workers of a task, and release its placement group.

        Args:
            run: The task.
            ended: The stream that has ended by itself; its worker is kept for the next task.
        """
        for stream, (other, _) in [*self._streams.items()]:
            if other is run:
                if stream is not ended:
                    ray.cancel(stream, force=True)
                del self._streams[stream]
        if group := run.group:
            run.group = None
            self._cluster.call(lambda: remove_placement_group(group))

    def _fail_unfit(self) -> list[Report]:
        """Fail queued tasks that no node can run any more, because one has left the cluster."""
        reports: list[Report] = []
        nodes = _nodes()
        for run, rank in [*self._streams.values()]:
            if rank.leads and not run.started and (reason := _unfit(run.task, nodes)):
                self._end(run)
                reports.append((run.task, failed_attempt("lost node", reason)))
        return reports


def _cause(error: Exception) -> Cause:
    if isinstance(error, NodeDiedError):
        return "lost node"
    return "out of memory" if isinstance(error, OutOfMemoryError) else "lost worker"


def reservation(task: Task) -> dict[str, float]:
    """Return the Ray resources that `task` reserves. Raises BenchError if no node has as many."""
    nodes = _nodes()
    if unfit := _unfit(task, nodes):
        raise BenchError(f"{unfit}; lower cpus, workers, gpus or devices in the suite's resources")
    return _reservation(task, nodes)


def _unfit(task: Task, nodes: Sequence[dict[str, float]]) -> str | None:
    """Return why the nodes can never run `task`, or None if they can."""
    reserved, devices = _reservation(task, nodes), task.resources.devices
    if _slots(reserved, nodes) >= devices:
        return None
    listed = ", ".join(f"{amount:g} {kind}" for kind, amount in reserved.items())
    if devices == 1:
        return f"a task of this suite reserves {listed}; no node of the Ray cluster has as much"
    return (
        f"a training of this suite reserves {listed} for each of {devices} devices; the nodes of "
        "the Ray cluster do not have as much"
    )


def _slots(reserved: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> int:
    """Return how many processes that reserve `reserved` the nodes can run at once."""
    needed = {kind: amount for kind, amount in reserved.items() if amount}
    return int(sum(min(node.get(kind, 0) // n for kind, n in needed.items()) for node in nodes))


def _reservation(task: Task, nodes: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the Ray resources to reserve: no GPU if the cluster has none."""
    reserved = with_workers(task.resources, nodes)
    gpus = reserved.gpus if any(node.get("GPU") for node in nodes) else 0.0
    return {"CPU": float(reserved.cpus + reserved.count_workers(0)), "GPU": gpus}


def with_workers(
    resources: Resources, nodes: Sequence[dict[str, float]] | None = None
) -> Resources:
    """Return resources with a number of workers for which every node with a GPU has enough cores.

    Args:
        resources: The resources of a suite.
        nodes: The resources of each node; None asks the cluster.
    """
    nodes = _nodes() if nodes is None else nodes
    shares = [
        node.get("CPU", 0) * resources.gpus / gpus for node in nodes if (gpus := node.get("GPU"))
    ]
    cores = min(shares, default=0) if resources.device != "cpu" else 0
    return replace(resources, workers=resources.count_workers(cores))


def _nodes() -> list[dict[str, float]]:
    return [node["Resources"] for node in current().nodes()]


# bench decides about retries: Ray would repeat a task that crashes its node forever.
@ray.remote(max_retries=0)
def _task(
    task: Task, store: Store, attempts: list[Attempt], rank: Rank
) -> Iterator[Event | Attempt]:
    """Run a task in a child process of this worker, which itself imports no torch."""
    if rank.leads:
        rank = replace(rank, host=str(ray.util.get_node_ip_address()))  # type: ignore[no-untyped-call]
    process = start_task(task, store, attempts, assigned_gpus(), rank)
    try:
        yield from process.reports()
    finally:
        process.kill()


def assigned_gpus() -> list[str]:
    """Return the ids of the GPUs that Ray has assigned to the current task of this worker."""
    return [str(gpu) for gpu in ray.get_gpu_ids()]
