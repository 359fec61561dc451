"""Profilers: measurement in this process, or on a node of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol, cast

from bench.core.signals import held_signals

if TYPE_CHECKING:
    from bench.config.recipe import Resources
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Profile
    from bench.trials.specs import Evaluation, RecognizerEvaluation
    from bench.trials.store import Store


class Profiler(Protocol):
    """Measures profiles on one machine, on which nothing else of bench runs at the same time."""

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware of the machine; raises BenchError if it lacks `resources`."""
        ...

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        """Return the profile of an evaluation.

        Args:
            evaluation: The evaluation.
            store: The store of trainings and profiles.
            final: Keys of profiles that are not measured again even if they are invalid.
        """
        ...


class LocalProfiler:
    """Measures in this process, on its first GPU if there is one.

    The executor of a run must be closed before.
    """

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware of this process."""
        with held_signals():
            # An interrupt during the import of torch would leave it unusable.
            from bench.profiling.hardware import find_hardware

        return find_hardware(resources)

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        """Measure in this process."""
        with held_signals():
            from bench.profiling.measure_network import measure_network
            from bench.profiling.measure_recognizer import measure_recognizer
        from bench.trials.specs import TrainedEvaluation

        hardware = self.hardware(evaluation.resources)
        if isinstance(evaluation, TrainedEvaluation):
            return measure_network(evaluation, store, hardware, final)
        return measure_recognizer(cast("RecognizerEvaluation", evaluation), store, hardware, final)


def open_profiler(
    address: str | None, report: Callable[[str], None]
) -> AbstractContextManager[Profiler]:
    """Return the profiler of this process, or of a node of a Ray cluster.

    Args:
        address: The address of the cluster; None measures in this process.
        report: Receives a message if profiling has to wait for the node.
    """
    if address is None:
        return nullcontext(LocalProfiler())
    from bench.profiling.cluster_node import reserve_node

    return reserve_node(address, report)
