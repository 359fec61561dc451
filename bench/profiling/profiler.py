"""Where profiles are measured: in this process, or on a node of a Ray cluster."""

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
    """Where profiles are measured, while nothing else of bench runs there."""

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware there. Raises BenchError where it lacks what `resources` demand."""
        ...

    def measure(self, evaluation: Evaluation, store: Store, final: Collection[str]) -> Profile:
        """Return the profile of what an evaluation runs, see `measure_network`."""
        ...


class LocalProfiler:
    """This process and the first GPU that it sees. The executor of a run is closed before."""

    def hardware(self, resources: Resources) -> Hardware:
        """Return the hardware that this process computes on."""
        with held_signals():
            # An interrupt would leave torch imported by half.
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
    address: str | None, say: Callable[[str], None]
) -> AbstractContextManager[Profiler]:
    """Return where profiles are measured: this process, or a node of the cluster at `address`.

    Args:
        address: The address of a Ray cluster; None measures in this process.
        say: Is given a sentence where the node has to be waited for.
    """
    if address is None:
        return nullcontext(LocalProfiler())
    from bench.profiling.cluster_node import reserve_node

    return reserve_node(address, say)
