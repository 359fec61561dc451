"""The base class of metrics, and the registry in which they are found by name."""

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
"""The group of entry points for metrics of other packages; each names an instance of `Metric`."""
PARTS_PER_MILLION = 10**6


class Counts(NamedTuple):
    """The counts of N samples, int64.

    Attributes:
        numerators: One per sample (N,), at least 0 unless a metric of the whole corpus is
            linearized.
        denominators: One per sample (N,). They depend on the references alone.
    """

    numerators: NDArray[np.int64]
    denominators: NDArray[np.int64]


class Metric(ABC):
    """A value of a corpus: the sum of numerators over samples, divided by that of denominators.

    Attributes:
        name: The name in protocols, tables and bench.toml.
        title: The heading of the column.
        unit: The unit of the values that `format` returns.
        higher_is_better: Whether a higher value is better.
        version: Raise it when the same readings get other counts; it is part of the keys of
            evaluations.
        max_value: The largest possible value, which bounds intervals; the smallest is 0.
        whole_corpus: Whether the counts of a sample depend on other samples, so that `counts`
            needs all samples in one call.
        ratio: What numerators and denominators count, for reports, such as ("edits", "words").
            None if they are scaled.
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
        """Return whether the metric is defined under the rules of `protocol`."""

    @abstractmethod
    def counts(self, readings: Readings) -> Counts | None:
        """Return the counts of each sample, or None if the samples lack the data for them."""

    def spec(self) -> dict[str, Any]:
        """Return what the metric adds to the key of an evaluation, as JSON values."""
        return {"version": self.version, **source_spec(type(self))}

    def format(self, value: float) -> str:
        """Return `value` in `unit`, without the unit."""
        return f"{100 * value:.2f}"


_registered: dict[str, Metric] = {}


def register_metric(metric: Metric) -> Metric:
    """Add a metric to the registry, so that protocols can name it, and return it.

    Raises:
        BenchError: Another metric has this name, or the name cannot be that of a column.
    """
    name = metric.name
    if fault := name_fault("metric", name):
        raise BenchError(fault)
    if name in _registered and type(_registered[name]) is not type(metric):
        raise BenchError(f"a metric '{name}' is already registered; rename one of the two")
    _registered[name] = metric
    return metric


def find_metric(name: str) -> Metric:
    """Return the metric called `name`.

    Raises:
        BenchError: No metric has the name (the message has the nearest name and how to add a
            metric), or two have it.
    """
    plugins, conflicts, faults = _plugin_metrics(plugin_files())
    if name in conflicts:
        raise BenchError(conflicts[name])
    if metric := _registered.get(name) or plugins.get(name):
        return metric
    faults = (*import_faults(), *faults, *_load_entry_points())
    if name not in _registered:
        hint = did_you_mean(name, {**_registered, **plugins})
        raise BenchError(with_how_to_add(f"there is no metric '{name}'{hint}", faults))
    return _registered[name]


def all_metrics() -> dict[str, Metric]:
    """Return all metrics by name, sorted: those of bench, of other packages and of plug-ins."""
    _load_entry_points()
    plugins, conflicts, _ = _plugin_metrics(plugin_files())
    merged = {**_registered, **plugins}
    return {name: merged[name] for name in sorted(merged) if name not in conflicts}


def installed_faults() -> list[str]:
    """Return one error message per metric of an entry point that cannot be used."""
    return [*_load_entry_points()]


def plugin_faults() -> list[str]:
    """Return one error message per metric of a plug-in that cannot be used."""
    _, conflicts, unusable = _plugin_metrics(plugin_files())
    return [*conflicts.values(), *unusable]


def metrics_of(protocol: Protocol) -> list[Metric]:
    """Return the metrics that a protocol reports, in its order."""
    return [find_metric(name) for name in protocol.metrics]


def format_scores(scores: Mapping[str, float]) -> str:
    """Return scores in one line, given by the names of their metrics: "accuracy 87.50 %  CER …"."""
    return "  ".join(
        f"{find_metric(n).title} {find_metric(n).format(v)} {find_metric(n).unit}"
        for n, v in scores.items()
    )


@lru_cache(maxsize=1)
def _plugin_metrics(
    files: tuple[PluginFile, ...],  # noqa: ARG001 (for the cache)
) -> tuple[dict[str, Metric], dict[str, str], tuple[str, ...]]:
    """Return the metrics that the plug-ins of this process define.

    Args:
        files: The plug-ins of this process.

    Returns:
        The metrics by name; by name, the error of a metric whose name is already used; and other
        errors.
    """
    metrics: dict[str, Metric] = {}
    conflicts: dict[str, str] = {}
    unusable = []
    for file, kind in declared(Metric):  # type: ignore[type-abstract]
        if isabstract(kind):
            continue
        try:
            metric = kind()
            name = metric.name
        except (AttributeError, TypeError) as error:
            fault = f"plug-in {file.path}: metric {kind.__name__} cannot be built"
            remedy = "give it a name and a constructor without parameters"
            unusable.append(f"{fault} ({one_line(error)}); {remedy}")
            continue
        if misnamed := name_fault("metric", name):
            unusable.append(f"plug-in {file.path}: {misnamed}")
            continue
        other = metrics.get(name) or _registered.get(name)
        if other is not None and type(other) is not kind:
            module = type(other).__module__.replace(".", "/") + ".py"
            conflicts[name] = (
                f"metric '{name}' of {file.path} has the name of one in "
                f"{outside_source(type(other)) or module}; rename it, or remove it from the list"
            )
        metrics[name] = metric
    return metrics, conflicts, tuple(unusable)


@cache
def _load_entry_points() -> tuple[str, ...]:
    """Register the metrics of other packages once; return one message per metric that fails."""
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
