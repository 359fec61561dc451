"""Conversion of TOML tables to frozen dataclasses, with errors that name the key."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import msgspec

from bench.core.errors import BenchError, did_you_mean, nearest

PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
NonNegativeInt = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
BelowOne = Annotated[float, msgspec.Meta(ge=0, lt=1)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0, le=sys.float_info.max)]
AtLeastOne = Annotated[float, msgspec.Meta(ge=1, le=sys.float_info.max)]
NonNegativeFloat = Annotated[float, msgspec.Meta(ge=0, le=sys.float_info.max)]

T = TypeVar("T")


@dataclass(frozen=True)
class Parsed:
    """Marks a field (`Annotated[kind, Parsed(parse)]`) whose values a function converts.

    Attributes:
        parse: Returns the value of the field for a value of TOML, and a value of the field as it
            is. It raises BenchError if it cannot.
    """

    parse: Callable[[object], Any]


@runtime_checkable
class Tabular(Protocol):
    """A value that TOML represents as a name or as a table."""

    def toml(self) -> str | dict[str, Any]:
        """Return its representation in TOML."""
        ...


class SchemaError(BenchError):
    """An error in a table.

    Attributes:
        key: The wrong key.
        assignment: The assignment as TOML, such as `width = -1`; empty if there is none.
    """

    def __init__(self, key: str, message: str, assignment: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.assignment = assignment


def fill(kind: type[T], table: dict[str, Any]) -> T:
    """Build the dataclass `kind` from `table`, every value checked against its annotation.

    Raises:
        SchemaError: A key is unknown or missing, or a value has a wrong type or range.
    """
    expected = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in expected:
            raise SchemaError(key, f"there is no key '{key}' here{did_you_mean(key, expected)}")
    for name, field in expected.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise SchemaError(name, f"the key '{name}' is missing")
    hints = _annotations(kind)  # type: ignore[arg-type] # a class is hashable
    return kind(**{key: _value(key, value, hints[key]) for key, value in table.items()})


@cache
def _annotations(kind: type) -> dict[str, Any]:
    """Return the annotations of a dataclass, which are slow to evaluate."""
    return get_type_hints(kind, include_extras=True)


# Any, because annotations may be of any type.
def _value(key: str, value: object, annotation: Any) -> Any:  # noqa: ANN401
    words = get_args(annotation)
    if parsed := next((word for word in words if isinstance(word, Parsed)), None):
        return _parsed(key, value, parsed)
    assignment = f"{key} = {_toml(value)}"
    if get_origin(annotation) is Literal and isinstance(value, str) and value not in words:
        listed = ", ".join(f"'{word}'" for word in words)
        near = nearest(value, words)
        hint = f"; did you mean '{near}'?" if near else ""
        fault = f"'{assignment}' must be one of {listed}{hint}"
        raise SchemaError(key, fault, assignment)
    try:
        return msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        fault = f"'{assignment}': {_fault(error, value, annotation)}"
        raise SchemaError(key, fault, assignment) from None


def _fault(error: msgspec.ValidationError, value: object, annotation: Any) -> str:  # noqa: ANN401
    """Return what is wrong, in terms of all alternatives where words are one of them."""
    kinds = get_args(annotation)
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if not words or get_origin(annotation) not in {Union, UnionType}:
        return _lower(str(error))
    other: Any = Union[tuple(kind for kind in kinds if get_origin(kind) is not Literal)]  # noqa: UP007
    try:
        msgspec.convert(value, other)
    except msgspec.ValidationError as narrower:
        error = narrower
    return f"{_lower(str(error))}; or set {' or '.join(map(repr, words))}"


def _parsed(key: str, value: object, parsed: Parsed) -> Any:  # noqa: ANN401 (as `_value`)
    try:
        return parsed.parse(value)
    except BenchError as error:
        # An error in a nested table is located by the key of the outer table.
        assignment = error.assignment if isinstance(error, SchemaError) else ""
        raise SchemaError(key, f"'{key}': {error}", assignment) from None


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
