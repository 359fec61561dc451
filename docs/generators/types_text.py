"""The type of a parameter in words, as a reader of bench.toml needs it."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

NAMES = {int: "integer", float: "number", str: "text", bool: "true or false"}
ABSENT = {NoneType, msgspec.UnsetType}
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def type_text(annotation: Any) -> str:  # noqa: ANN401 (any annotation)
    """Return the type and bounds of an annotation; whether a value may be absent is left out."""
    words = get_args(annotation)
    match get_origin(annotation) or annotation:
        case kind if kind in NAMES:
            text = NAMES[kind]
        case kind if kind is Annotated:
            text = " ".join(filter(None, (type_text(words[0]), *map(bounds, words[1:]))))
        case kind if kind is Literal:
            text = " or ".join(map(json.dumps, words))
        case kind if kind in {Union, UnionType}:
            text = " or ".join(type_text(word) for word in words if word not in ABSENT)
        case kind if kind in {tuple, list}:
            kinds = dict.fromkeys(type_text(word) for word in words if word is not Ellipsis)
            text = f"list of {' and '.join(kinds)}"
        case kind if kind is dict:
            text = (
                f"table of {type_text(words[1])}" if words[1:] and words[1] is not Any else "table"
            )
        case kind:
            text = f"`{kind.__name__}`" if is_dataclass(kind) else "value"
    return text


def bounds(mark: object) -> str:
    """Return the bounds of a number; limits of 64 bits are left out."""
    if not isinstance(mark, msgspec.Meta):
        return ""
    values = {sign: getattr(mark, name) for name, sign in BOUNDS.items()}
    return ", ".join(
        f"{sign} {value}" for sign, value in values.items() if value is not None and value < 2**62
    )
