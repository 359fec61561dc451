"""The JSON Schema of `board.json`, generated from the classes of `board.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.core import documents
from bench.leaderboards.board import BOARD_SCHEMA, BoardDocument


def board_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `board.json`."""
    schema = msgspec.json.schema(BoardDocument)
    definitions = schema["$defs"]
    definitions["BoardDocument"]["properties"]["schema"] = {"const": BOARD_SCHEMA}
    for definition in definitions.values():
        # The summary alone: attributes are documented in the classes.
        if text := definition.pop("description", ""):
            definition["description"] = text.split("\n\n")[0].replace("\n", " ")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "board.json",
        **schema,
    }


def schema_text() -> str:
    """Return the content of docs/reference/board.schema.json."""
    return documents.encode(board_schema()).decode()
