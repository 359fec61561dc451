"""Profiling on a node of a Ray cluster that is reserved, so that nothing else runs on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.core.printable import first_line
from bench.execution.ray_cluster import connected, current  # It sets Ray's environment.
from bench.profiling.profiler import LocalProfiler

import ray  # isort: skip
from ray.exceptions import RayError, RayTaskError  # isort: skip
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # isort: skip

if TYPE_CHECKING:
    from bench.config.recipe import Resources
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Profile
    from bench.trials.specs import Evaluation
    from bench.trials.store import Store

NOTICE_SECONDS = 5.0
"""After this time, a message says that profiling waits for the node."""
MAX_WAIT_SECONDS = 600.0
"""The longest wait for a node that other tasks use."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster.

    Attributes:
        id: The id of the node in Ray.
        address: The IP address.
        cpus: The CPUs that Ray manages on the node; all of them are reserved.
        gpus: The GPUs that Ray manages on the node.
    """

    id: str
    address: str
    cpus: float
    gpus: float


@contextmanager
def reserve_node(address: str, report: Callable[[str], None]) -> Iterator[ClusterProfiler]:
    """Connect to the cluster at `address` and yield a profiler; release its node at the end.

    Args:
        address: The address of the cluster.
        report: Receives a message if profiling has to wait for the node.
    """
    with connected(address):
        yield ClusterProfiler(report)


class ClusterProfiler:
    """Measures in a worker that has reserved all CPUs and, if there is one, a GPU of a node.

    Each training and evaluation reserves at least one CPU, so those of this cluster do not run on
    the node at the same time. The worker is started for the first measurement and used for all.

    Args:
        report: Receives a message if profiling has to wait for the node.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._hardware: dict[Resources, Hardware] = {}
        self._worker: tuple[Node, Any] | None = None
        self._busy: str | None = None

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware of the node, which is not reserved for this.

        Raises:
            BenchError: No node has these resources.
        """
        if resources not in self._hardware:
            node = choose_node(resources, alive_nodes())
            answer = _find_hardware.options(scheduling_strategy=_on(node)).remote(
                _resources_on(node, resources)
            )
            try:
                self._hardware[resources] = current().call(lambda: ray.get(answer))
            except RayError as error:
                raise _fault(error, node) from None
        return self._hardware[resources]

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        """Measure on the node, as soon as nothing else of the cluster runs on it.

        Raises:
            BenchError: The node is not free in time or is lost, or the measurement fails.
        """
        resources = evaluation.resources
        node = choose_node(resources, alive_nodes())
        on_node = evaluation.with_resources(_resources_on(node, resources))
        answer = self._reserved_worker(node).measure.remote(on_node, store, final)
        try:
            profile: Profile = current().call(lambda: ray.get(answer))
        except RayError as error:
            if not isinstance(error, RayTaskError):
                self._worker = None
            raise _fault(error, node) from None
        return profile

    def _reserved_worker(self, node: Node) -> Any:  # noqa: ANN401 (a handle of Ray)
        """Return the worker on `node` as soon as it has reserved the node."""
        if self._busy:
            raise BenchError(self._busy)
        if self._worker and self._worker[0] == node:
            return self._worker[1]
        gpus = min(1, int(node.gpus))
        reserved = {"num_cpus": node.cpus, "num_gpus": gpus, "scheduling_strategy": _on(node)}
        worker: Any = ray.remote(_Worker).options(**reserved).remote()
        required = f"{node.cpus:g} CPU and {gpus} GPU of node {node.address}"
        if not _is_ready(worker, node, NOTICE_SECONDS):
            self._report(f"waiting for other tasks to release {required} for profiling")
            if not _is_ready(worker, node, MAX_WAIT_SECONDS):
                ray.kill(worker)
                self._busy = (
                    f"other tasks of the cluster did not release {required} within "
                    f"{MAX_WAIT_SECONDS:.0f} s; run `bench profile` after them"
                )
                raise BenchError(self._busy)
        self._worker = node, worker
        return worker


def choose_node(resources: Resources, nodes: Sequence[Node]) -> Node:
    """Return the node on which profiles are measured.

    It is the node with the most CPUs, then the first by address. If `resources` allow a GPU, nodes
    with a GPU are preferred. So each run chooses the same node, and profiles are comparable.

    Raises:
        BenchError: No node has these resources.
    """
    fitting = [node for node in nodes if node.cpus >= resources.cpus]
    with_gpu = [node for node in fitting if node.gpus >= 1]
    if resources.device == "cuda" and not with_gpu:
        raise BenchError(
            f'the suite sets device = "cuda", but no node of the Ray cluster has a GPU and '
            f'{resources.cpus} CPU; set device = "auto", or lower cpus in the suite\'s resources'
        )
    if not fitting:
        raise BenchError(
            f"no node of the Ray cluster has {resources.cpus} CPU; lower cpus in the "
            "suite's resources"
        )
    usable = with_gpu if with_gpu and resources.device != "cpu" else fitting
    return min(usable, key=lambda node: (-node.cpus, node.address, node.id))


def alive_nodes() -> list[Node]:
    """Return the nodes of the cluster that this process is connected to."""
    return [
        Node(
            id=node["NodeID"],
            address=node["NodeManagerAddress"],
            cpus=node["Resources"].get("CPU", 0.0),
            gpus=node["Resources"].get("GPU", 0.0),
        )
        for node in current().nodes()
    ]


# `max_calls=1` ends the process after the call, because it would keep some memory of the GPU.
@ray.remote(num_cpus=0, max_calls=1, max_retries=0)
def _find_hardware(resources: Resources) -> Hardware:
    return LocalProfiler().hardware(resources)


class _Worker:
    """The actor of Ray that measures, in its own process and on the GPU that Ray assigned."""

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        return LocalProfiler().measure(evaluation, store, final)


def _resources_on(node: Node, resources: Resources) -> Resources:
    """Return `resources`, for the CPU if no GPU is reserved: an unreserved one may be visible."""
    return resources if node.gpus >= 1 else replace(resources, device="cpu")


def _on(node: Node) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node.id, soft=False)


def _is_ready(worker: Any, node: Node, seconds: float) -> bool:  # noqa: ANN401 (a handle of Ray)
    ready = worker.__ray_ready__.remote()
    if not current().call(lambda: ray.wait([ready], timeout=seconds))[0]:
        return False
    try:
        ray.get(ready)
    except RayError as error:
        raise _fault(error, node) from None
    return True


def _fault(error: RayError, node: Node) -> Exception:
    """Return the exception of a task, or an error for a worker that was lost."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
        return error.cause
    message = first_line(str(error)) or "no message"
    return BenchError(
        f"the profiling worker on node {node.address} was lost ({type(error).__name__}: "
        f"{message}); run `bench profile` again"
    )
