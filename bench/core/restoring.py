"""Components made again from what a record or an exported network says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.schema import SchemaError

if TYPE_CHECKING:
    from bench.core.components import Component
    from bench.core.registry import Kind


def restored_component(kind: Kind, spec: dict[str, Any], where: object, remedy: str) -> Component:
    """Make a component again from its `Component.spec()`.

    Args:
        kind: Its kind.
        spec: What was recorded of it.
        where: What holds the spec, as errors name it.
        remedy: What to do where it is another one today.

    Raises:
        BenchError: It is gone, or its parameters, version or source file have changed.
    """
    name = spec["name"]
    try:
        component = registry.make(kind, name, spec["parameters"])
    except SchemaError as error:
        raise BenchError(
            f"{where}: the parameters of {kind} '{name}' have changed ({error}); {remedy}"
        ) from None
    today = component.spec()
    if today["version"] != spec["version"]:
        raise BenchError(
            f"{where}: {kind} '{name}' was version {spec['version']} and is version "
            f"{today['version']} today; {remedy}"
        )
    if today.get("source") != spec.get("source"):
        raise BenchError(
            f"{where}: the source file of {kind} '{name}' has changed since this record; {remedy}"
        )
    return component
