"""What a metric is, and the registry in which protocols, tables and boards find it by name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bench.core import entry_points
from bench.core.errors import BenchError, did_you_mean
from bench.core.sources import source_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol

GROUP = "bench.metric"
"""The entry point group of metrics in other packages; a point names an instance of `Metric`."""
PARTS_PER_MILLION = 10**6


class Counts(NamedTuple):
    """The numerator and the denominator of each sample, (N,) each, int64.

    Denominators depend on the references alone. Numerators are at least 0, except where a metric
    of a whole corpus is linearized.
    """

    numerators: NDArray[np.int64]
    denominators: NDArray[np.int64]


class Metric(ABC):
    """One number for a corpus: the sum of its samples' numerators over that of denominators.

    Attributes:
        name: What protocols, tables and bench.toml call it.
        title: The heading of its column.
        unit: The unit in which `format` writes a value.
        higher_is_better: The direction.
        version: To be raised when the same readings get other counts; part of evaluations' keys.
        max_value: The largest value there can be, for the bounds of intervals; the least is 0.
        whole_corpus: Whether the counts of a sample depend on the other samples, so that `counts`
            has to be given all of them at once.
        ratio: What numerators and denominators count, for reports: ("edits", "words"). Empty if
            they are scaled.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "%"
    higher_is_better: ClassVar[bool]
    version: ClassVar[int] = 1
    max_value: ClassVar[float] = math.inf
    whole_corpus: ClassVar[bool] = False
    ratio: ClassVar[tuple[str, str] | None] = None

    @abstractmethod
    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether the metric has a meaning under the rules of `protocol`."""

    @abstractmethod
    def counts(self, readings: Readings) -> Counts | None:
        """Return the counts of each sample, or None if the samples lack what they need."""

    def spec(self) -> dict[str, Any]:
        """Return what it adds to the key of an evaluation, as JSON values."""
        return {"version": self.version, **source_spec(type(self))}

    def format(self, value: float) -> str:
        """Return `value` in `unit`, without the unit."""
        return f"{100 * value:.2f}"


_registered: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Add a metric, so that protocols may name it, and return it.

    Raises:
        BenchError: Another metric has the name, or it cannot be the name of a column.
    """
    name = metric.name
    if "/" in name or not name:
        raise BenchError(f"metric '{name}': a name is not empty and has no '/'; rename it")
    if name in _registered and type(_registered[name]) is not type(metric):
        raise BenchError(f"there is a metric '{name}' already; rename the other")
    _registered[name] = metric
    return metric


def find(name: str) -> Metric:
    """Return the metric called `name`.

    Raises:
        BenchError: There is none; the message has the nearest name.
    """
    if name not in _registered:
        _load_entry_points()
    if name not in _registered:
        raise BenchError(f"there is no metric '{name}'{did_you_mean(name, _registered)}")
    return _registered[name]


def all_metrics() -> dict[str, Metric]:
    """Return all metrics by name, sorted: bench's own, registered ones, and entry points."""
    _load_entry_points()
    return dict(sorted(_registered.items()))


def metrics_of(protocol: Protocol) -> list[Metric]:
    """Return the metrics that a protocol reports, in its order."""
    return [find(name) for name in protocol.metrics]


def summary(scores: Mapping[str, float]) -> str:
    """Return scores by the name of their metrics as one line."""
    return "  ".join(
        f"{find(n).title} {find(n).format(v)} {find(n).unit}" for n, v in scores.items()
    )


@cache
def _load_entry_points() -> None:
    """Register the metrics of other packages, once."""
    for point, metric in entry_points.load(GROUP):
        if not isinstance(metric, Metric):
            raise BenchError(
                f"entry point '{point.name}' of group {GROUP} is not an instance of "
                f"bench.evaluation.metrics.Metric; fix or uninstall {point.value}"
            )
        register(metric)
