"""bench.toml with one more file in `plugins`; all else in the file stays as it is written."""

from __future__ import annotations

import json
import tomllib

import tomlkit

from bench.core.errors import BenchError


def with_plugin(text: str, path: str) -> str:
    """Return the text of a bench.toml that lists a plug-in.

    Args:
        text: The file.
        path: The plug-in, relative to the folder of bench.toml.

    Raises:
        BenchError: The file spells `plugins` in a way to which nothing can be added.
    """
    before = tomllib.loads(text)
    listed = before.get("plugins", [])
    if path in listed:
        return text
    if "plugins" in before:
        document = tomlkit.parse(text)
        document["plugins"].append(path)
        new = tomlkit.dumps(document)
    else:
        new = _inserted(text, f"plugins = [{json.dumps(path, ensure_ascii=False)}]")
    if tomllib.loads(new) != before | {"plugins": [*listed, path]}:
        raise BenchError(
            f"bench cannot add the plug-in to this bench.toml; add '{path}' to its list `plugins` "
            "yourself"
        )
    return new


def _inserted(text: str, line: str) -> str:
    """Return the text with a line above all keys and tables, below comments at its beginning."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    comments = 0
    while comments < len(lines) and lines[comments].startswith("#"):
        comments += 1
    # Comments without an empty line below them belong to what follows.
    if comments and comments < len(lines) and lines[comments].strip():
        comments = 0
    head = "".join(lines[:comments])
    rest = "".join(lines[comments:]).lstrip("\r\n")
    return f"{head}{ending if head else ''}{line}{ending}{ending}{rest}"
