"""The page of files that bench writes, from the classes that they are read into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from docstrings import docstring
from msgspec import UnsetType
from tables import GENERATED, quoted, table
from types_text import type_text

from bench.core.json_schema import described_fields
from bench.evaluation import predictions, sample_properties
from bench.leaderboards import board
from bench.leaderboards.samples import samples_file
from bench.packs import pack_file
from bench.trials import records, store

HEAD = f"""# File formats

{GENERATED}

The files that bench writes, described by the classes that it reads them into. `schema` is the version of a JSON document;
a document of another version, a value of another type or a number out of its bounds is reported by `bench verify` and
`bench board --check`. [board.schema.json](board.schema.json) is the JSON Schema of `board.json`.
"""
COLUMNS = {
    "id": "the name of the sample in its data set",
    "reference": "its label, not normalized",
    "hypothesis": "what was read, not normalized",
    "excluded": "why the protocol does not score the sample; null where it does",
    "confidence": "the confidence of the whole text; null where it is unknown",
    "path": "the best class of each valid frame",
    "aligned": "the frame, in `path`, of each label that was read",
    "scores": "the confidence of the span of each label",
    "key_frames": "the true frame of each label, where the data set has them",
    "METRIC": "the numerator of a metric for the sample, in a column of its name",
    "METRIC/of": "its denominator; scores are sums of the one over sums of the other",
}
DOCUMENTS: dict[str, tuple[type[Any], ...]] = {
    "Records": (
        records.TrainingRecord,
        records.EvaluationRecord,
        records.Failure,
        records.Profile,
        records.Feasibility,
    ),
    "Boards": (board.BoardDocument,),
    "Packs": (pack_file.Manifest,),
}
LAYOUTS = {"Records": store, "Packs": pack_file}
NOTES = {
    "Boards": "[boards.md](../how-to/boards.md) lists the files of a board. Rates are shares (1 is 100 %), times are "
    "seconds, latencies\nmilliseconds, memory bytes.",
}


def page() -> str:
    """Return the page."""
    listed: set[type[Any]] = set()
    parts = [HEAD]
    for title, roots in DOCUMENTS.items():
        parts.append(f"## {title}\n")
        if title in LAYOUTS:
            parts.append(f"```text\n{layout(LAYOUTS[title])}\n```\n")
        if title in NOTES:
            parts.append(f"{NOTES[title]}\n")
        for root in roots:
            parts += [section(document) for document in documents(root, listed)]
        if title == "Records":
            parts += prediction_columns()
        if title == "Boards":
            parts.append(f"### Samples of a board\n\n{docstring(samples_file).text}\n")
    return "\n".join(parts)


def layout(module: object) -> str:
    """Return the list of files in the docstring of a module."""
    paragraphs = docstring(module).text.split("\n\n")
    return "\n\n".join(
        part for part in paragraphs if "/" in part.split(maxsplit=1)[0] or ".json " in part
    )


def documents(root: type[Any], listed: set[type[Any]]) -> Iterator[type[Any]]:
    """Yield a class and those of its fields that are not in `listed` yet, and add them."""
    if root in listed:
        return
    listed.add(root)
    yield root
    for hint in get_type_hints(root).values():
        for kind in classes(hint):
            yield from documents(kind, listed)


def classes(annotation: Any) -> Iterator[type[Any]]:  # noqa: ANN401 (any annotation)
    """Yield the dataclasses in an annotation."""
    if is_dataclass(annotation) and isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from classes(part)


def section(document: type[Any]) -> str:
    """Return the section of one class, with a row per field."""
    hints = get_type_hints(document, include_extras=True)
    meanings = described_fields(document)
    rows = (
        (quoted(field.name), json_type(hints[field.name]), meanings.get(field.name, ""))
        for field in fields(document)
    )
    listed = table(("key", "type", "meaning"), rows)
    return f"### {document.__name__}\n\n{docstring(document).text}\n\n{listed}"


def json_type(annotation: Any) -> str:  # noqa: ANN401 (any annotation)
    """Return the type of a value, and whether it may be null or left out."""
    parts = get_args(annotation)
    absent = " or null" if NoneType in parts else ""
    return type_text(annotation) + absent + (", optional" if UnsetType in parts else "")


def prediction_columns() -> Iterator[str]:
    """Yield the section of predictions."""
    yield "### predictions.parquet\n"
    yield "A row per sample of the test split, in its order.\n"
    names = [
        sample_properties.PREFIX + name
        for name in (*sample_properties.SIZES, *sample_properties.NAMES)
    ]
    schema = predictions.predictions_schema(["METRIC"], names)
    meanings = COLUMNS | dict.fromkeys(names, "a property of the sample, where the data set has it")
    rows = ((quoted(field.name), str(field.type), meanings[field.name]) for field in schema)
    yield table(("column", "type", "meaning"), rows)
