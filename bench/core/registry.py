"""The registry of components: bench's own, those of plug-ins, and entry points of packages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from inspect import isabstract
from typing import Any, Literal, get_args

from bench.core import entry_points
from bench.core.components import Augmentation, Component, Dataset, Decoder, Loss, Model, Recognizer
from bench.core.errors import BenchError, did_you_mean
from bench.core.names import name_fault
from bench.core.plugin_files import PluginFile, plugin_files, with_how_to_add
from bench.core.plugin_modules import declared, import_faults
from bench.core.schema import fill
from bench.core.sources import outside_source

Kind = Literal["dataset", "augmentation", "model", "loss", "decoder", "recognizer"]

_PACKAGES: dict[Kind, tuple[str, type[Component]]] = {
    "dataset": ("bench.data.datasets", Dataset),
    "augmentation": ("bench.data.augmentation", Augmentation),
    "model": ("bench.models", Model),
    "loss": ("bench.losses", Loss),
    "decoder": ("bench.decoding", Decoder),
    "recognizer": ("bench.recognizers", Recognizer),
}


@dataclass(frozen=True)
class Outside:
    """Components from outside bench.

    Attributes:
        components: Usable components by name.
        refused: For each name of several components, why none of them can be used.
        faults: A sentence per component that cannot be used.
    """

    components: Mapping[str, type[Component]]
    refused: Mapping[str, str]
    faults: tuple[str, ...]


@cache
def builtin(kind: Kind) -> dict[str, type[Component]]:
    """Return bench's own components by name, sorted."""
    package, base = _PACKAGES[kind]
    components = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        # Subpackages are implementations, which import torch.
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if _is_component(value, base) and value.__module__ == module.name:
                components[value.name] = value
    return dict(sorted(components.items()))


def everything(kind: Kind) -> dict[str, type[Component]]:
    """Return all components by name: bench's own, those of plug-ins, those of entry points."""
    plugged, installed = _plugged(kind, plugin_files()), _installed(kind)
    refused = {*plugged.refused, *installed.refused, *_taken_twice(kind, plugged, installed)}
    merged = {**builtin(kind), **plugged.components, **installed.components}
    return {name: component for name, component in merged.items() if name not in refused}


def names(kind: Kind) -> set[str]:
    """Return the names of all components, including names of several components."""
    return {*everything(kind), *_plugged(kind, plugin_files()).refused, *_installed(kind).refused}


def faults(kind: Kind) -> list[str]:
    """Return a sentence for each component from outside bench that cannot be used."""
    plugged, installed = _plugged(kind, plugin_files()), _installed(kind)
    clashes = _taken_twice(kind, plugged, installed).values()
    return [*import_faults(), *plugged.faults, *installed.faults, *clashes]


def installed_faults(kind: Kind) -> list[str]:
    """Return a sentence for each component of an entry point that cannot be used."""
    return [*_installed(kind).faults]


def plugin_faults() -> list[str]:
    """Return a sentence for each plug-in, or component of one, that cannot be used."""
    of_kinds = (_plugged(kind, plugin_files()).faults for kind in get_args(Kind))
    return [*import_faults(), *(fault for faults in of_kinds for fault in faults)]


def find(kind: Kind, name: str) -> type[Component]:
    """Return the component called `name`.

    Raises:
        BenchError: There is none, or several have the name.
    """
    plugged = _plugged(kind, plugin_files())
    if name in plugged.refused:
        raise BenchError(plugged.refused[name])
    if name in builtin(kind):
        return builtin(kind)[name]
    installed = _installed(kind)
    if fault := {**installed.refused, **_taken_twice(kind, plugged, installed)}.get(name):
        raise BenchError(fault)
    components = {**plugged.components, **installed.components}
    if name not in components:
        raise BenchError(not_found(kind, name))
    return components[name]


def not_found(kind: Kind, name: str, others: Iterable[str] = ()) -> str:
    """Return the error's sentence for an unknown component, with how to add one.

    Args:
        kind: The kind of component.
        name: The unknown name.
        others: Other names that are valid in its position.
    """
    hint = did_you_mean(name, [*everything(kind), *others])
    return with_how_to_add(f"there is no {kind} '{name}'{hint}", faults(kind))


def make(kind: Kind, name: str, parameters: dict[str, Any]) -> Component:
    """Build a component. Raises BenchError on a wrong name, SchemaError on wrong parameters."""
    return fill(find(kind, name), parameters)


@lru_cache(maxsize=16)
def _plugged(kind: Kind, files: tuple[PluginFile, ...]) -> Outside:  # noqa: ARG001 (for the cache)
    """Return the components of the plug-ins of this process, which are `files`."""
    components: dict[str, type[Component]] = {}
    refused: dict[str, str] = {}
    unusable = []
    for file, component in declared(_PACKAGES[kind][1]):
        if fault := _unusable(kind, component):
            unusable.append(f"plug-in {file.path}: {fault}")
        if fault or isabstract(component):
            continue
        name = component.name
        if other := components.get(name) or builtin(kind).get(name):
            refused[name] = _clash(kind, component, other)
        components[name] = component
    return _outside(components, refused, unusable)


@cache
def _installed(kind: Kind) -> Outside:
    """Return the components of entry points of group `bench.<kind>`."""
    base = _PACKAGES[kind][1]
    points, unusable = entry_points.load(f"bench.{kind}")
    components: dict[str, type[Component]] = {}
    refused: dict[str, str] = {}
    for point, component in points:
        if not _is_component(component, base):
            unusable.append(
                f"entry point '{point.name}' of group bench.{kind} is not a subclass of "
                f"bench.core.components.{base.__name__} with a name; fix or uninstall {point.value}"
            )
            continue
        name = component.name
        if fault := name_fault(kind, name):
            unusable.append(f"entry point '{point.name}' of group bench.{kind}: {fault}")
            continue
        if own := builtin(kind).get(name):
            # bench's own components work whatever else is installed.
            unusable.append(_clash(kind, component, own))
            continue
        if name in components:
            refused[name] = _clash(kind, component, components[name])
        components[name] = component
    return _outside(components, refused, unusable)


def _outside(
    components: Mapping[str, type[Component]], refused: Mapping[str, str], unusable: Iterable[str]
) -> Outside:
    usable = {name: each for name, each in components.items() if name not in refused}
    return Outside(usable, refused, (*unusable, *refused.values()))


def _taken_twice(kind: Kind, plugged: Outside, installed: Outside) -> dict[str, str]:
    """Return why names of both a plug-in and a package cannot be used."""
    return {
        name: _clash(kind, plugged.components[name], installed.components[name])
        for name in plugged.components.keys() & installed.components.keys()
    }


def _unusable(kind: Kind, component: type[Component]) -> str | None:
    """Return why a class of a plug-in is not a usable component; None for usable or base ones."""
    missing: Iterable[str] = sorted(getattr(component, "__abstractmethods__", ()))
    if missing and "name" in vars(component):
        return f"{kind} '{component.name}' does not define {', '.join(missing)}"
    if not missing and not hasattr(component, "name"):
        return (
            f"{kind} {component.__name__} has no name; add one to the class, like "
            f'name: ClassVar[str] = "my-{kind}"'
        )
    return None if missing else name_fault(kind, component.name)


def _clash(kind: Kind, component: type[Component], other: type[Component]) -> str:
    """Return the error's sentence for two components of one name."""
    return (
        f"{kind} '{component.name}' of {_file(component)} has the name of one in {_file(other)}; "
        "rename it, or remove it from the list"
    )


def _file(component: type[Component]) -> str:
    """Return the file that declares a component, for messages."""
    module = component.__module__.replace(".", "/") + ".py"
    return str(outside_source(component) or module)


def _is_component(value: object, base: type[Component]) -> bool:
    return isinstance(value, type) and issubclass(value, base) and hasattr(value, "name")
