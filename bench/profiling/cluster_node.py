"""A node of a Ray cluster that is reserved, with one of its GPUs, for measuring alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError
from bench.core.printable import first_line
from bench.execution.ray_cluster import connected, current  # It settles Ray's environment.
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

PATIENCE_SECONDS = 5.0
"""After this long a sentence says that the node is waited for."""
MAX_WAIT_SECONDS = 600.0
"""How long a node that other tasks use is waited for."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster.

    Attributes:
        id: Ray's name of it.
        address: Its IP address.
        cpus: The CPUs that Ray gives out there: all of them are reserved.
        gpus: The GPUs that Ray gives out there.
    """

    id: str
    address: str
    cpus: float
    gpus: float


@contextmanager
def reserve_node(address: str, say: Callable[[str], None]) -> Iterator[ClusterProfiler]:
    """Join the cluster at `address`, and give the reserved node back in the end."""
    with connected(address):
        yield ClusterProfiler(say)


class ClusterProfiler:
    """Measures in a worker that has all CPUs of a node and, where it has some, one whole GPU.

    Each training and evaluation reserves at least one CPU, so none of this cluster runs there
    meanwhile. The worker is started with the first measurement and kept for the others.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._hardware: dict[Resources, Hardware] = {}
        self._worker: tuple[Node, Any] | None = None
        self._busy: str | None = None

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware of the node, which is asked without being reserved.

        Raises:
            BenchError: No node has what `resources` demand.
        """
        if resources not in self._hardware:
            node = choose_node(resources, alive_nodes())
            answer = _find_hardware.options(scheduling_strategy=_on(node)).remote(
                _resources_on(node, resources)
            )
            try:
                self._hardware[resources] = current().answer(lambda: ray.get(answer))
            except RayError as error:
                raise _fault(error, node) from None
        return self._hardware[resources]

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        """Measure on the node, as soon as nothing else of the cluster runs there.

        Raises:
            BenchError: The node is not free in time, is lost, or cannot measure.
        """
        resources = evaluation.resources
        node = choose_node(resources, alive_nodes())
        there = evaluation.with_resources(_resources_on(node, resources))
        answer = self._reserved(node).measure.remote(there, store, final)
        try:
            profile: Profile = current().answer(lambda: ray.get(answer))
        except RayError as error:
            if not isinstance(error, RayTaskError):
                self._worker = None
            raise _fault(error, node) from None
        return profile

    def _reserved(self, node: Node) -> Any:  # noqa: ANN401 (a handle of Ray's)
        """Return the worker on `node`, once all of the node is its own."""
        if self._busy:
            raise BenchError(self._busy)
        if self._worker and self._worker[0] == node:
            return self._worker[1]
        gpus = min(1, int(node.gpus))
        reserved = {"num_cpus": node.cpus, "num_gpus": gpus, "scheduling_strategy": _on(node)}
        worker: Any = ray.remote(_Worker).options(**reserved).remote()
        wanted = f"{node.cpus:g} CPU and {gpus} GPU of node {node.address}"
        if not _is_ready(worker, node, PATIENCE_SECONDS):
            self._say(f"waiting until other tasks leave {wanted} to the profiles")
            if not _is_ready(worker, node, MAX_WAIT_SECONDS):
                ray.kill(worker)
                self._busy = (
                    f"other tasks of the cluster kept {wanted} for {MAX_WAIT_SECONDS:.0f} s; run "
                    "`bench profile` when they have ended"
                )
                raise BenchError(self._busy)
        self._worker = node, worker
        return worker


def choose_node(resources: Resources, nodes: Sequence[Node]) -> Node:
    """Return the node that profiles are measured on.

    Where `resources` allow a GPU, it is one with GPUs if there are any. Of these it is the one with
    most CPUs, of equals the first by address: the same in each run, so that profiles compare.

    Raises:
        BenchError: No node has what `resources` demand.
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
            f"no node of the Ray cluster has {resources.cpus} CPU to measure with; lower cpus in "
            "the suite's resources"
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


# `max_calls`: a process that has asked a GPU for its name would keep some of its memory.
@ray.remote(num_cpus=0, max_calls=1, max_retries=0)
def _find_hardware(resources: Resources) -> Hardware:
    return LocalProfiler().hardware(resources)


class _Worker:
    """Measures in a process of its own, on the GPU that Ray has assigned to it."""

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        return LocalProfiler().measure(evaluation, store, final)


def _resources_on(node: Node, resources: Resources) -> Resources:
    """Return `resources` for the CPU where no GPU of the node is reserved: one may be visible."""
    return resources if node.gpus >= 1 else replace(resources, device="cpu")


def _on(node: Node) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node.id, soft=False)


def _is_ready(worker: Any, node: Node, seconds: float) -> bool:  # noqa: ANN401 (Ray's own)
    ready = worker.__ray_ready__.remote()
    if not current().answer(lambda: ray.wait([ready], timeout=seconds))[0]:
        return False
    try:
        ray.get(ready)
    except RayError as error:
        raise _fault(error, node) from None
    return True


def _fault(error: RayError, node: Node) -> Exception:
    """Return what a task has raised, or a sentence for a worker that was lost."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
        return error.cause
    message = first_line(str(error)) or "it ended without a message"
    return BenchError(
        f"node {node.address} lost the profile ({type(error).__name__}: {message}); "
        "run `bench profile` again"
    )
