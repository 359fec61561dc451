"""Dataclasses as JSON Schemas (2020-12): types, bounds, defaults, descriptions of docstrings."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from bench.core.schema import Tabular

Schema = dict[str, Any]
_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
_UNBOUNDED = {sys.float_info.max, 2**63 - 1}
"""Bounds of the numbers that a computer can hold, which tell a reader nothing."""
_ENTRY = re.compile(r"    (\w+): (.*)")
"""The first line of an entry of `Args:` or `Attributes:`; further lines are indented deeper."""


def table_schema(
    kind: type, overrides: Mapping[str, Schema] | None = None, *, partial: bool = False
) -> Schema:
    """Return the schema of a table that is filled into a dataclass.

    Args:
        kind: The dataclass.
        overrides: Schemas of keys whose annotations do not state what a table may hold.
        partial: Whether keys without defaults may be missing.
    """
    hints = get_type_hints(kind, include_extras=True)
    texts = described_fields(kind)
    properties: dict[str, Schema] = {}
    for each in fields(kind):
        schema = {**(overrides or {}).get(each.name, annotation_schema(hints[each.name]))}
        if each.name in texts:
            schema["description"] = texts[each.name]
        properties[each.name] = schema | _default(each)
    required = [] if partial else required_fields(kind)
    return closed_table(properties, required)


def closed_table(properties: Mapping[str, Schema], required: list[str] | None = None) -> Schema:
    """Return the schema of a table with these keys and no others."""
    schema: Schema = {"type": "object"}
    if required:
        schema["required"] = required
    return schema | {"properties": dict(properties), "additionalProperties": False}


def required_fields(kind: type) -> list[str]:
    """Return the names of the fields of a dataclass that have no default."""
    return [
        each.name
        for each in fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    ]


def described_fields(kind: type) -> dict[str, str]:
    """Return the description of each field that the docstring of a class, or of a base, lists."""
    texts: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        texts |= _listed_texts(inspect.cleandoc(base.__doc__ or ""))
    return texts


def _listed_texts(docstring: str) -> dict[str, str]:
    """Return the texts of the lists `Args:` and `Attributes:` of a docstring by name."""
    texts: dict[str, list[str]] = {}
    lines: list[str] | None = None
    within = False
    for line in docstring.splitlines():
        if line and not line.startswith(" "):
            within, lines = line in {"Args:", "Attributes:"}, None
        elif within and (entry := _ENTRY.match(line)):
            lines = texts[entry[1]] = [entry[2]]
        elif lines is not None:
            lines.append(line)
    return {name: " ".join(" ".join(text).split()) for name, text in texts.items()}


def summary(kind: type) -> str:
    """Return the first paragraph of the docstring of a class in one line."""
    return " ".join(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].split())


def annotation_schema(annotation: Any) -> Schema:  # noqa: ANN401 (any annotated type)
    """Return the schema of the values of an annotation; {} where that does not state them."""
    origin, words = get_origin(annotation), get_args(annotation)
    if annotation in _TYPES:
        return {"type": _TYPES[annotation]}
    if origin is Annotated:
        return _annotated_schema(words)
    if origin is Literal:
        return {"enum": [*words]}
    if origin in {Union, UnionType}:
        return any_of(*(annotation_schema(word) for word in words if word is not NoneType))
    return _container_schema(origin or annotation, words)


def _container_schema(kind: Any, words: tuple[Any, ...]) -> Schema:  # noqa: ANN401
    """Return the schema of a list, a tuple or a table; {} of anything else."""
    if kind is tuple and words[-1] is not Ellipsis:
        items = [annotation_schema(word) for word in words]
        size = len(items)
        return {"type": "array", "prefixItems": items, "minItems": size, "maxItems": size}
    if kind in {tuple, list}:
        return {"type": "array", "items": annotation_schema(words[0])}
    if kind is dict:
        values = annotation_schema(words[1])
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    return {}


def any_of(*schemas: Schema) -> Schema:
    """Return the schema of a value of any of these schemas."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}


def _annotated_schema(words: tuple[Any, ...]) -> Schema:
    schema = annotation_schema(words[0])
    for constraint in words[1:]:
        if isinstance(constraint, msgspec.Meta):
            schema |= dict(_bounds(constraint))
    return schema


def _bounds(constraint: msgspec.Meta) -> Iterator[tuple[str, float]]:
    for name, keyword in _BOUNDS.items():
        bound = getattr(constraint, name)
        if bound is not None and bound not in _UNBOUNDED:
            yield keyword, bound


def _default(each: Field[Any]) -> Schema:
    factory: Callable[[], Any] | Any = each.default_factory
    value = each.default if factory is MISSING else factory()
    if value is MISSING or value is None:
        return {}
    if isinstance(value, Tabular):
        value = value.toml()
    return {"default": [*value] if isinstance(value, tuple) else value}
