"""Which columns of an Arrow table are the image, the text, and what else is known of a sample."""

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
    """A row of a table without its image; `text` is None where the table has none."""

    text: str | None
    columns: Mapping[str, str]


@dataclass(frozen=True)
class TableColumns:
    """The names of columns; `others` are further ones, of texts and whole numbers."""

    image: str
    text: str
    others: tuple[str, ...]

    def records(self, batch: pa.RecordBatch) -> Iterator[Record]:
        """Yield the rows of a batch that has the columns of text."""
        values = [batch[name].to_pylist() for name in (self.text, *self.others)]
        for text, *others in zip(*values, strict=True):
            known = ("" if value is None else str(value) for value in others)
            yield Record(text, dict(zip(self.others, known, strict=True)))


def find_columns(schema: pa.Schema, image: str, text: str) -> TableColumns | None:
    """Return the columns of a table, None where there are none or more than one that may be meant.

    Args:
        schema: Of the table.
        image: The column of images: encoded bytes with a path, or a path. Empty: the only one that
            has bytes, else the first with a known name.
        text: The column of transcripts. Empty: the first text with a known name, else the only one.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    encoded = [field.name for field in schema if is_encoded(field.type)]
    if image:
        images = image if image in {*texts, *encoded} else None
    elif len(encoded) == 1:
        images = encoded[0]
    else:
        images = named_fields.field(encoded or texts, named_fields.IMAGES, "")
    rest = [name for name in texts if name != images]
    only = rest[0] if len(rest) == 1 and not text else None
    transcripts = named_fields.field(rest, named_fields.TEXTS, text) or only
    if images is None or transcripts is None:
        return None
    others = (field.name for field in schema if _is_text(field.type) or _is_whole(field.type))
    return TableColumns(
        images, transcripts, tuple(name for name in others if name not in {images, transcripts})
    )


def require_columns(schema: pa.Schema, image: str, text: str, place: Path) -> TableColumns:
    """Return the columns of a table. Raises BenchError with those that there are."""
    if found := find_columns(schema, image, text):
        return found
    for chosen in (image, text):
        if chosen and chosen not in schema.names:
            raise BenchError(
                f"{place}: there is no column '{chosen}'{did_you_mean(chosen, schema.names)}"
            )
    listed = ", ".join(f"{field.name} ({_noun(field.type)})" for field in schema)
    raise BenchError(
        f"{place}: it is not clear which of its columns {listed} are the image and the text; set "
        "image and text of the format, which have to be encoded images and texts"
    )


def is_encoded(kind: pa.DataType) -> bool:
    """Return whether a column is of images as the library `datasets` stores them."""
    import pyarrow as pa

    if not pa.types.is_struct(kind):
        return False
    names = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
    return "bytes" in names and _is_binary(names["bytes"])


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_whole(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind))


def _noun(kind: pa.DataType) -> str:
    if is_encoded(kind):
        return "encoded images"
    return "texts" if _is_text(kind) else str(kind).partition("<")[0]
