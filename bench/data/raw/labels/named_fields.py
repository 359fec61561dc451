"""The fields of a table or a JSON object that are the path and the text of a sample."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bench.core.errors import BenchError, did_you_mean

IMAGES = (
    "file_name",
    "filename",
    "image_file_name",
    "file",
    "path",
    "file_path",
    "filepath",
    "image",
    "image_path",
    "image_name",
    "img",
    "img_path",
    "img_name",
)
TEXTS = (
    "text",
    "transcription",
    "transcript",
    "label",
    "words",
    "word",
    "gt",
    "ground_truth",
    "sentence",
    "gloss",
    "glosses",
    "utf8_string",
)


def find_field(fields: Collection[str], usual: tuple[str, ...], chosen: str) -> str | None:
    """Return the field `chosen`, or if empty the first with a usual name in any case; else None."""
    if chosen:
        return chosen if chosen in fields else None
    names = {name.strip().lower(): name for name in reversed([*fields])}
    return next((names[name] for name in usual if name in names), None)


def missing_field(
    format_: str, file: Path, fields: Collection[str], option: str, chosen: str
) -> BenchError:
    """Return the error for a file without a field for `option` of its format."""
    if chosen:
        return BenchError(f"{file}: there is no field '{chosen}'{did_you_mean(chosen, fields)}")
    return BenchError(
        f"{file}: no field of {', '.join(map(repr, fields))} has a usual name of {option}; "
        f'set {option} in its format, such as format = {{ name = "{format_}", {option} = "…" }}'
    )
