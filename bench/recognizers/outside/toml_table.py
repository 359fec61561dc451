"""Tables of bench.toml as parameters of components."""

from __future__ import annotations

import json
import math
from typing import Any

from bench.core.errors import BenchError


class HashableTable(dict[str, Any]):
    """A hashable table, because components are hashable; it must not be changed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(json.dumps(self, sort_keys=True))


def parse_table(value: object) -> HashableTable:
    """Return a table of TOML whose values can be written as JSON.

    Raises:
        BenchError: The value is not a table, or has a date, a time, an infinity or a NaN.
    """
    if not isinstance(value, dict):
        raise BenchError("write a table, such as { width = 32 }")
    _check(value)
    return HashableTable(value)


def _check(value: object) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif not isinstance(value, str | bool | int | float) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise BenchError(f"{value} is not a text, a finite number, true or false; write a text")
