"""What a metric is, and the registry in which protocols, tables and boards find it by name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache, lru_cache
from inspect import isabstract
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bench.core import entry_points
from bench.core.errors import BenchError, did_you_mean, one_line
from bench.core.names import name_fault
from bench.core.plugin_files import PluginFile, plugin_files, with_how_to_add
from bench.core.plugin_modules import declared, import_faults
from bench.core.sources import outside_source, source_spec

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


def register_metric(metric: Metric) -> Metric:
    """Add a metric, so that protocols may name it, and return it.

    Raises:
        BenchError: Another metric has the name, or it cannot be the name of a column.
    """
    name = metric.name
    if fault := name_fault("metric", name):
        raise BenchError(fault)
    if name in _registered and type(_registered[name]) is not type(metric):
        raise BenchError(f"there is a metric '{name}' already; rename the other")
    _registered[name] = metric
    return metric


def find_metric(name: str) -> Metric:
    """Return the metric called `name`.

    Raises:
        BenchError: There is none, with the nearest name and how to add one; or two have the name.
    """
    plugged, refused, faults = _plugged(plugin_files())
    if name in refused:
        raise BenchError(refused[name])
    if found := _registered.get(name) or plugged.get(name):
        return found
    faults = (*import_faults(), *faults, *_load_entry_points())
    if name not in _registered:
        hint = did_you_mean(name, {**_registered, **plugged})
        raise BenchError(with_how_to_add(f"there is no metric '{name}'{hint}", faults))
    return _registered[name]


def all_metrics() -> dict[str, Metric]:
    """Return all metrics by name, sorted: bench's own, registered ones, those from outside."""
    _load_entry_points()
    plugged, refused, _ = _plugged(plugin_files())
    merged = {**_registered, **plugged}
    return {name: merged[name] for name in sorted(merged) if name not in refused}


def installed_faults() -> list[str]:
    """Return a sentence for each metric of an entry point that cannot be used."""
    return [*_load_entry_points()]


def plugin_faults() -> list[str]:
    """Return a sentence for each metric of a plug-in that cannot be used."""
    _, refused, unusable = _plugged(plugin_files())
    return [*refused.values(), *unusable]


def metrics_of(protocol: Protocol) -> list[Metric]:
    """Return the metrics that a protocol reports, in its order."""
    return [find_metric(name) for name in protocol.metrics]


def format_scores(scores: Mapping[str, float]) -> str:
    """Return scores by the name of their metrics as one line."""
    return "  ".join(
        f"{find_metric(n).title} {find_metric(n).format(v)} {find_metric(n).unit}"
        for n, v in scores.items()
    )


@lru_cache(maxsize=1)
def _plugged(
    files: tuple[PluginFile, ...],  # noqa: ARG001 (for the cache)
) -> tuple[dict[str, Metric], dict[str, str], tuple[str, ...]]:
    """Return the metrics of the plug-ins of this process, which are `files`, each by its name.

    Returns:
        The metrics, why names that are taken cannot be used, and what else is wrong.
    """
    metrics: dict[str, Metric] = {}
    refused: dict[str, str] = {}
    unusable = []
    for file, kind in declared(Metric):  # type: ignore[type-abstract]
        if isabstract(kind):
            continue
        try:
            metric = kind()
            name = metric.name
        except (AttributeError, TypeError) as error:
            fault = f"plug-in {file.path}: metric {kind.__name__} cannot be made ({one_line(error)}"
            unusable.append(f"{fault}); give it a name, and no parameters")
            continue
        if misnamed := name_fault("metric", name):
            unusable.append(f"plug-in {file.path}: {misnamed}")
            continue
        other = metrics.get(name) or _registered.get(name)
        if other is not None and type(other) is not kind:
            module = type(other).__module__.replace(".", "/") + ".py"
            refused[name] = (
                f"metric '{name}' of {file.path} has the name of one in "
                f"{outside_source(type(other)) or module}; rename it, or remove it from the list"
            )
        metrics[name] = metric
    return metrics, refused, tuple(unusable)


@cache
def _load_entry_points() -> tuple[str, ...]:
    """Register the metrics of other packages, once; return a sentence for each that cannot be."""
    points, faults = entry_points.load(GROUP)
    for point, metric in points:
        if not isinstance(metric, Metric):
            faults.append(
                f"entry point '{point.name}' of group {GROUP} is not an instance of "
                f"bench.evaluation.metrics.Metric; fix or uninstall {point.value}"
            )
            continue
        try:
            register_metric(metric)
        except BenchError as error:
            faults.append(f"entry point '{point.name}' of group {GROUP}: {error}")
    return tuple(faults)
