"""Adds a `[dataset.NAME]` to the text of a bench.toml, and keeps all other text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import Item

from bench.core.errors import BenchError

Value = str | Sequence[str] | Mapping[str, Any]
_READING = ("kind", "folder", "format", "labels", "images", "splits")
"""The keys that are written; others, such as `alphabet`, are left to the user."""


def with_dataset(
    text: str, name: str, keys: Mapping[str, Value], comments: Sequence[str] = ()
) -> str:
    """Return the text of a bench.toml with a table for a data set.

    If the table exists, its keys are replaced; other keys, `splits` that is not given, and all
    comments are kept.

    Args:
        text: The content of the file; empty if there is none yet.
        name: The name of the data set.
        keys: The keys of its table.
        comments: Lines below a new table.

    Raises:
        BenchError: A table cannot be added to the file as it is written.
    """
    document = tomlkit.parse(text)
    own = document.get("dataset", {}).get(name)
    if own is None:
        new = _appended(text, name, keys, comments)
    else:
        for key in _READING:
            if key in keys:
                own[key] = _item(keys[key])
            elif key in own and key != "splits":
                del own[key]
        new = tomlkit.dumps(document)
    if _parsed(new) != _expected(text, name, keys):
        lines = "; ".join(f"{key} = {_item(value).as_string()}" for key, value in keys.items())
        raise BenchError(
            f"bench cannot add the table to this bench.toml; add it yourself: "
            f"[dataset.{name}] {lines}"
        )
    return new


def _appended(text: str, name: str, keys: Mapping[str, Value], comments: Sequence[str]) -> str:
    ending = "\r\n" if "\r\n" in text else "\n"
    table = tomlkit.table()
    for key, value in keys.items():
        table[key] = _item(value)
    header = f"[{tomlkit.key(['dataset', name]).as_string()}]"
    lines = [header, *table.as_string().splitlines(), *(f"# {each}" for each in comments)]
    before = text.rstrip("\r\n")
    return before + (2 * ending if before else "") + ending.join([*lines, ""])


def _item(value: Value) -> Item:
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    return tomlkit.item(value if isinstance(value, str) else [*value])


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _expected(text: str, name: str, keys: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values that the new file has to have: those of the old one, and the table."""
    document = tomllib.loads(text)
    datasets = document.get("dataset", {})
    replaced = {*_READING} - {"splits"}
    kept = {key: v for key, v in datasets.get(name, {}).items() if key not in replaced}
    new = {key: v if isinstance(v, str | dict) else [*v] for key, v in keys.items()}
    return document | {"dataset": datasets | {name: kept | new}}
