"""Components on the command line: `name:parameter=value,parameter=value`."""

from __future__ import annotations

from typing import Any

from bench.core.errors import BenchError


def parse_component(text: str, option: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of a component.

    Args:
        text: `name` or `name:parameter=value,parameter=value`.
        option: What the text was given as, for messages.

    Raises:
        BenchError: A part is not parameter=value.
    """
    name, _, listed = text.partition(":")
    parameters: dict[str, Any] = {}
    for part in filter(None, listed.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise BenchError(f"{option} {text}: '{part}' must be parameter=value")
        parameters[key.strip()] = _value(value.strip())
    return name, parameters


def _value(text: str) -> int | float | bool | str:
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
