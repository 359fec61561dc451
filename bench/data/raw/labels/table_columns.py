"""The columns of an Arrow table that are the image, the text, and other values of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.core.errors import BenchError, did_you_mean
from bench.data.raw.labels import named_fields

if TYPE_CHECKING:
    import pyarrow as pa


class Record(NamedTuple):
    """A row of a table without its image; `text` is None if the cell is empty."""

    text: str | None
    columns: Mapping[str, str]


@dataclass(frozen=True)
class TableColumns:
    """The names of columns; `others` are further columns of texts and integers."""

    image: str
    text: str
    others: tuple[str, ...]

    def records(self, batch: pa.RecordBatch) -> Iterator[Record]:
        """Yield the rows of a record batch."""
        values = [batch[name].to_pylist() for name in (self.text, *self.others)]
        for text, *others in zip(*values, strict=True):
            others_as_text = ("" if value is None else str(value) for value in others)
            yield Record(text, dict(zip(self.others, others_as_text, strict=True)))


def find_columns(schema: pa.Schema, image: str, text: str) -> TableColumns | None:
    """Return the columns of a table, None if they are missing or ambiguous.

    Args:
        schema: The schema of the table.
        image: The column of images: encoded bytes with a path, or a path. Empty: the only column of
            encoded images, else the first with a usual name.
        text: The column of transcripts. Empty: the first column of texts with a usual name, else
            the only one.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    encoded = [field.name for field in schema if is_encoded(field.type)]
    if image:
        images = image if image in {*texts, *encoded} else None
    elif len(encoded) == 1:
        images = encoded[0]
    else:
        images = named_fields.find_field(encoded or texts, named_fields.IMAGES, "")
    rest = [name for name in texts if name != images]
    only = rest[0] if len(rest) == 1 and not text else None
    transcripts = named_fields.find_field(rest, named_fields.TEXTS, text) or only
    if images is None or transcripts is None:
        return None
    others = (field.name for field in schema if _is_text(field.type) or _is_integer(field.type))
    return TableColumns(
        images, transcripts, tuple(name for name in others if name not in {images, transcripts})
    )


def require_columns(schema: pa.Schema, image: str, text: str, path: Path) -> TableColumns:
    """Return the columns of a table. Raises BenchError with the existing columns."""
    if columns := find_columns(schema, image, text):
        return columns
    for chosen in (image, text):
        if chosen and chosen not in schema.names:
            raise BenchError(
                f"{path}: there is no column '{chosen}'{did_you_mean(chosen, schema.names)}"
            )
    listed = ", ".join(f"{field.name} ({_noun(field.type)})" for field in schema)
    raise BenchError(
        f"{path}: it is not clear which of the columns {listed} are the image and the text; set "
        "image and text of the format to a column of encoded images and one of texts"
    )


def is_encoded(kind: pa.DataType) -> bool:
    """Return whether a column has images as stored by Hugging Face's `datasets`."""
    import pyarrow as pa

    if not pa.types.is_struct(kind):
        return False
    names = {kind.field(index).name: kind.field(index).type for index in range(kind.num_fields)}
    return "bytes" in names and _is_binary(names["bytes"])


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_integer(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind))


def _noun(kind: pa.DataType) -> str:
    if is_encoded(kind):
        return "encoded images"
    return "texts" if _is_text(kind) else str(kind).partition("<")[0]
