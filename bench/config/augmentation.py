"""The augmentation of a recipe in bench.toml: a name, or a table with parameters."""

from __future__ import annotations

from typing import Any, cast

from bench.core import registry
from bench.core.components import Augmentation
from bench.core.errors import BenchError

NO_AUGMENTATION = "none"


def parse_augmentation(value: object) -> Augmentation | None:
    """Return the augmentation that a value of bench.toml names; None for "none".

    Args:
        value: A name, or a table of a `name` and parameters. An augmentation or None is returned
            unchanged.

    Raises:
        SchemaError: A parameter is unknown, or its value has a wrong type or range.
        BenchError: There is no augmentation of that name, or `value` is not one.
    """
    if value is None or isinstance(value, Augmentation):
        return value
    table = {"name": value} if isinstance(value, str) else value
    name = table.get("name") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(name, str):
        raise BenchError("an augmentation must be a name, or a table with a 'name'")
    if table == {"name": NO_AUGMENTATION}:
        return None
    if name not in registry.builtin("augmentation") and name not in registry.everything(
        "augmentation"
    ):
        raise BenchError(registry.not_found("augmentation", name, [NO_AUGMENTATION]))
    parameters = {key: each for key, each in table.items() if key != "name"}
    return cast("Augmentation", registry.make("augmentation", name, parameters))


def spelled_augmentation(augmentation: Augmentation | None) -> str | dict[str, Any]:
    """Return an augmentation as written in bench.toml; the inverse of `parse_augmentation`."""
    return augmentation.toml() if augmentation else NO_AUGMENTATION
