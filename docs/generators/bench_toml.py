"""The page of the keys of bench.toml, from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit
from tables import GENERATED, quoted, table

SCHEMA = Path(__file__).parents[1] / "reference/bench.schema.json"
HEAD = f"""# Keys of bench.toml

{GENERATED}

All tables and keys, from the JSON Schema of bench.toml ([bench.schema.json](bench.schema.json)), with which editors
complete and check the file. [suites.md](suites.md) explains them with examples; components and their parameters are in
[component-list.md](component-list.md). Paths are relative to the folder of bench.toml.
"""
TABLES = {
    "suite": ("[suite.NAME]", "A comparison, which has a board."),
    "resources": ("[suite.NAME.resources]", "What each training and evaluation reserves."),
    "sweep": ("[suite.NAME.sweep]", "What `bench sweep NAME` searches."),
    "recipe": ("[recipe.NAME]", "How networks are trained; a suite, a model or a loss names it."),
    "image_input": ("input of a model of images", "How an image becomes a tensor."),
    "frames_input": ("input of a model of clips", "How the frames of a clip become a tensor."),
    "protocol": ("[protocol.NAME]", "Rules of scoring beside those of bench."),
    "dataset_table": ("[dataset.NAME]", "A data set of your own."),
}
LISTED = {"dataset", "augmentation", "model", "loss", "decoder", "recognizer"}
"""Definitions that are a component: its name, or a table with its parameters."""
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
}
MOST_WORDS = 10


def page() -> str:
    """Return the page."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    top = [
        (quoted(key if value["type"] == "array" else f"[{key}.NAME]"), value["description"])
        for key, value in schema["properties"].items()
    ]
    parts = [HEAD, table(("key or table", "what it is"), top)]
    for name, (title, about) in TABLES.items():
        heading = f"`{title}`" if title.startswith("[") else title.capitalize()
        parts += [f"## {heading}\n", f"{about}\n", keys(schema["$defs"][name])]
    return "\n".join(parts)


def keys(definition: dict[str, Any]) -> str:
    """Return the keys of a table, and those of tables in its lists below it."""
    rows, below = [], []
    for key, value in definition["properties"].items():
        required = key in definition.get("required", ())
        default = "required" if required else default_text(value)
        rows.append((quoted(key), type_text(value), default, value.get("description", "")))
        if "properties" in value.get("items", {}):
            below += [f"\nEach table of `{key}` has:\n\n{keys(value['items'])}"]
    return table(("key", "type", "default", "meaning"), rows) + "".join(below)


def default_text(value: dict[str, Any]) -> str:
    """Return the default of a key as TOML has it, empty where nothing is set."""
    default = value.get("default")
    return "" if default in (None, "", [], {}) else quoted(tomlkit.item(default).as_string())


def type_text(value: dict[str, Any]) -> str:
    """Return the type of a value and its bounds in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return name if name in LISTED else "table"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(type_text, value["anyOf"])))
    if "enum" in value:
        words = [json.dumps(word, ensure_ascii=False) for word in value["enum"]]
        return ", ".join(words) if len(words) <= MOST_WORDS else "name"
    if value.get("type") == "array":
        return "list" + "".join(f" of {kind}" for kind in item_types(value))
    kind = TYPES.get(value.get("type", ""), "value")
    limits = [f"{sign} {value[name]}" for name, sign in BOUNDS.items() if name in value]
    return " ".join([kind, *limits])


def item_types(value: dict[str, Any]) -> Iterator[str]:
    """Yield the type of the values of a list, nothing where they may be of any."""
    if items := value.get("prefixItems"):
        yield f"{len(items)} × {type_text(items[0])}"
    elif "items" in value:
        yield type_text(value["items"])
