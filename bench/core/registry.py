"""Components by name: each module of a component package, then entry points of other packages."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Literal

from bench.core import entry_points
from bench.core.components import Augmentation, Component, Dataset, Decoder, Loss, Model, Recognizer
from bench.core.errors import BenchError, did_you_mean
from bench.core.schema import fill

Kind = Literal["dataset", "augmentation", "model", "loss", "decoder", "recognizer"]

_PACKAGES: dict[Kind, tuple[str, type[Component]]] = {
    "dataset": ("bench.data.datasets", Dataset),
    "augmentation": ("bench.data.augmentation", Augmentation),
    "model": ("bench.models", Model),
    "loss": ("bench.losses", Loss),
    "decoder": ("bench.decoding", Decoder),
    "recognizer": ("bench.recognizers", Recognizer),
}


@cache
def builtin(kind: Kind) -> dict[str, type[Component]]:
    """Return bench's own components by name, sorted."""
    package, base = _PACKAGES[kind]
    components = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        # Subpackages hold what components compute with, and import torch.
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if _is_component(value, base) and value.__module__ == module.name:
                components[value.name] = value
    return dict(sorted(components.items()))


@cache
def everything(kind: Kind) -> dict[str, type[Component]]:
    """Return all components by name: bench's own, then entry points of group `bench.<kind>`."""
    components = dict(builtin(kind))
    for point, component in entry_points.load(f"bench.{kind}"):
        if not _is_component(component, _PACKAGES[kind][1]):
            raise BenchError(
                f"entry point '{point.name}' of group bench.{kind} is not a subclass of "
                f"bench.core.components.{_PACKAGES[kind][1].__name__}; "
                f"fix or uninstall {point.value}"
            )
        if component.name in components:
            raise BenchError(
                f"{kind} '{component.name}' of entry point '{point.value}' has the name of "
                "another; rename it or uninstall that package"
            )
        components[component.name] = component
    return components


def find(kind: Kind, name: str) -> type[Component]:
    """Return the component called `name`. Raises BenchError with the nearest name."""
    components = builtin(kind)
    if name not in components:
        components = everything(kind)
    if name not in components:
        raise BenchError(f"there is no {kind} '{name}'{did_you_mean(name, components)}")
    return components[name]


def make(kind: Kind, name: str, parameters: dict[str, Any]) -> Component:
    """Build a component. Raises BenchError on a wrong name, SchemaError on wrong parameters."""
    return fill(find(kind, name), parameters)


def _is_component(value: object, base: type[Component]) -> bool:
    return isinstance(value, type) and issubclass(value, base) and hasattr(value, "name")
