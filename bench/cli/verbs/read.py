"""The verb `read`: read images with a training or a recognizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bench.cli.terminal import Load, as_json_option, report, say
from bench.core.errors import Exit
from bench.core.printable import printable
from bench.core.text_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.core.recognition import Reading, TextReader

_BATCH = 32


@click.command()
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--with",
    "word",
    required=True,
    metavar="NAME",
    help="The key or folder of a training, an exported folder, the name of a recognizer, "
    "or SUITE/ROW.",
)
@as_json_option
@click.pass_obj
def read(load: Load, images: tuple[str, ...], word: str, *, as_json: bool) -> int:
    """Read IMAGES with a finished training or another recognizer, and print their texts.

    IMAGES are files, folders or globs. An image that cannot be decoded is reported, the others are
    read, and the exit code is then 1. See `bench docs export`.

    Examples:
      bench read photos/ --with 3f2a
      bench read 'photos/*.jpg' --with tesseract
    """
    from bench.data.reading.own_images import image_paths
    from bench.export.named_readers import open_named_reader

    paths = image_paths(images)
    rows: list[dict[str, Any]] = []
    with open_named_reader(word, load) as named:
        named.reader.begin(paths)
        try:
            for row in _rows(named.reader, paths):
                rows.append(row)  # noqa: PERF402 (rows before an error are kept)
        finally:
            # Also after an error in the middle.
            texts = _table([row for row in rows if "text" in row])
            report(texts, {"reader": named.title, "images": rows}, as_json=as_json)
    faults = [row for row in rows if "error" in row]
    for row in faults:
        say(f"{printable(row['path'])}: {row['error']}", fg="red")
    return Exit.FAILED if faults else Exit.DONE


def _rows(reader: TextReader, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the row of each image: its path, and its text or its error."""
    from bench.data.reading.own_images import UnreadableImage, read_images

    for first in range(0, len(paths), _BATCH):
        part = [*read_images(paths[first : first + _BATCH])]
        samples = [each for each in part if not isinstance(each, UnreadableImage)]
        readings = iter(reader.read(samples) if samples else ())
        for each in part:
            if isinstance(each, UnreadableImage):
                yield {"path": each.path, "error": each.reason}
            else:
                yield {"path": each.id, **_reading_values(next(readings))}


def _reading_values(reading: Reading) -> dict[str, Any]:
    row = {"text": reading.text, "confidence": reading.confidence}
    return row | ({"remark": reading.remark} if reading.remark else {})


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of path, text and confidence."""
    remarks = any("remark" in row for row in rows)
    headers = ["image", "text", "confidence", *(["remark"] if remarks else [])]
    cells = []
    for row in rows:
        confidence = row["confidence"]
        number = "–" if confidence is None else f"{confidence:.3f}"
        line = [row["path"], row["text"], number]
        cells.append([*line, *([row.get("remark", "")] if remarks else [])])
    return Table(headers, cells, ["confidence"])
