"""The page of all components: what each is, its parameters, and where it is from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import tomlkit
from docstrings import docstring
from tables import GENERATED, cell, quoted, table
from types_text import type_text

from bench.config import bench_toml
from bench.core import registry
from bench.core.components import Component
from bench.core.files import file_parameters
from bench.core.json_schema import described_fields
from bench.core.schema import Tabular
from bench.evaluation import protocols
from bench.evaluation.metrics.metric import all_metrics

HEAD = f"""# All components

{GENERATED}

Every component of bench with its parameters and their defaults, from the code. In a suite of bench.toml a component
is a name, or a table of a name and parameters: `{{ name = "radial-ctc", eta = 0.1 }}`.
[components.md](components.md) explains what each kind is, and how one of your own is added.
"""
TITLES = {
    "dataset": "Data sets",
    "model": "Models",
    "loss": "Losses",
    "decoder": "Decoders",
    "recognizer": "Recognizers",
    "augmentation": "Augmentations",
}


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for kind in get_args(registry.Kind):
        parts += [f"## {TITLES[kind]}\n", *map(section, registry.builtin(kind).values())]
    return "\n".join([*parts, *metrics(), *protocol_list(), *recipes()])


def section(component: type[Component]) -> str:
    """Return the section of one component."""
    written = docstring(component)
    parts = [f"### {component.name}\n", f"{written.text}\n"]
    if rows := [*parameters(component)]:
        parts.append(table(("parameter", "type", "default", "meaning"), rows))
    if source := written.sections.get("Source"):
        parts.append(f"Source: {cell(source)}\n")
    return "\n".join(parts)


def parameters(component: type[Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and meaning of each parameter."""
    hints = get_type_hints(component, include_extras=True)
    meanings, files = described_fields(component), file_parameters(component)
    for field in fields(component):
        kind = "file" if field.name in files else type_text(hints[field.name])
        yield quoted(field.name), kind, default(field), meanings.get(field.name, "")


def default(field: Field[Any]) -> str:
    """Return the default of a parameter as bench.toml spells it, empty where nothing is set."""
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else quoted("[]")
    return "" if field.default is None else quoted(toml(field.default))


def toml(value: object) -> str:
    """Return a value as bench.toml spells it."""
    value = value.toml() if isinstance(value, Tabular) else value
    return tomlkit.item(value).as_string()


def metrics() -> Iterator[str]:
    """Yield the section of metrics."""
    yield "## Metrics\n"
    for name, metric in sorted(all_metrics().items()):
        better = "higher" if metric.higher_is_better else "lower"
        yield f"### {name}\n"
        yield f"Column `{metric.title} {metric.unit}`; {better} is better.\n"
        yield f"{docstring(type(metric)).text}\n"


def protocol_list() -> Iterator[str]:
    """Yield the section of protocols."""
    yield "## Protocols\n"
    rows = (
        (quoted(name), protocol.about, ", ".join(map(quoted, protocol.metrics)))
        for name, protocol in protocols.PROTOCOLS.items()
    )
    yield table(("protocol", "rules", "metrics"), rows)


def recipes() -> Iterator[str]:
    """Yield the section of recipes."""
    yield "## Recipes\n"
    yield "[reproductions.md](../explanation/reproductions.md) has the source of every value.\n"
    config = bench_toml.load(Path(__file__).parents[2] / "bench.toml")
    rows = (
        (quoted(name), ", ".join(quoted(f"{key} = {toml(value)}") for key, value in keys.items()))
        for name, keys in config.recipes.items()
    )
    yield table(("recipe", "keys"), rows)
