"""Read prediction files of other programs: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError, did_you_mean, one_line
from bench.core.printable import printable, quoted
from bench.core.regular_files import open_regular
from bench.core.text_encodings import NotTextError, read_lines, read_text

ID_COLUMNS = (
    "id", "sample", "sample_id", "filename", "file_name", "file", "image", "image_path", "path",
)  # fmt: skip
TEXT_COLUMNS = ("text", "prediction", "pred", "hypothesis", "words", "label")
NUMBER_COLUMNS = ("confidence", "seconds")

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_MAX_FIELD = 2**24
_MAX_ROWS = 10_000_000


@dataclass(frozen=True)
class Prediction:
    """A prediction of one sample.

    Attributes:
        id: The id of the sample in the file.
        text: The text read; empty if the file has no value.
        position: The position in the file, such as `line 3`.
        numbers: Confidence and seconds, if the file has them.
    """

    id: str
    text: str
    position: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True)
class FileColumns:
    """The columns of ids and texts in a file.

    Attributes:
        id: The column of ids; None for the only one of `ID_COLUMNS`.
        text: The column of texts; None for the only one of `TEXT_COLUMNS`.
        header: Whether the first line of a CSV or TSV has the names of the columns.
    """

    id: str | None = None
    text: str | None = None
    header: bool = True


Row = tuple[str, Mapping[str, Any]]
"""The position of a row in the file, and its values by column."""


def read_prediction_file(file: Path, columns: FileColumns) -> Iterator[Prediction]:
    """Yield the predictions of a file.

    Raises:
        BenchError: The file cannot be read, lacks a column, or has a malformed row.
    """
    form = _SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise BenchError(
            f"{file}: the suffix '{file.suffix}' is not supported; write a CSV (.csv), "
            "TSV (.tsv), JSON lines (.jsonl) or Parquet (.parquet)"
        )
    try:
        if form == "parquet":
            yield from _selected(file, columns, *_parquet(file))
        elif form == "jsonl":
            yield from _selected(file, columns, *_json_lines(file))
        else:
            yield from _selected(file, columns, *_delimited(file, form, columns))
    except NotTextError as error:
        raise BenchError(f"{file}: line {error.line}: {error}") from None
    except OSError as error:
        raise BenchError(
            f"{file}: the file cannot be read ({error.strerror or error}); give "
            "a file of predictions"
        ) from None


def _selected(
    file: Path, columns: FileColumns, names: Sequence[str], rows: Iterable[Row]
) -> Iterator[Prediction]:
    name = _column(file, names, columns.id, ID_COLUMNS, "id")
    text = _column(file, names, columns.text, TEXT_COLUMNS, "text")
    for position, row in rows:
        identity, read = row.get(name), row.get(text)
        if not isinstance(identity, str | int) or isinstance(identity, bool) or identity == "":
            raise BenchError(f"{file}: {position} has no id in '{name}'; write the id of a sample")
        if read is not None and not isinstance(read, str):
            raise BenchError(
                f"{file}: {position}: '{text}' is {quoted(str(read))}, not a text; write a text, "
                "in quotes if it is JSON"
            )
        # An empty cell has no number.
        numbers = {key: row[key] for key in NUMBER_COLUMNS if row.get(key) not in (None, "")}
        yield Prediction(str(identity), read or "", position, numbers)


def _column(
    file: Path, names: Sequence[str], chosen: str | None, aliases: tuple[str, ...], kind: str
) -> str:
    """Return the chosen column, else the only one of `names` that is one of the aliases."""
    if chosen is not None:
        if chosen in names:
            return chosen
        hint = did_you_mean(chosen, map(printable, names)) or "; the file is empty"
        raise BenchError(f"{file}: there is no column {quoted(chosen)} of {kind}s{hint}")
    matches = [name for name in names if name.strip().lower() in aliases]
    if len(matches) == 1:
        return matches[0]
    if not names:
        raise BenchError(f"{file}: the file is empty; write an id and a text per sample")
    listed = ", ".join(map(quoted, matches or names[:8]))
    if matches:
        raise BenchError(
            f"{file}: the columns {listed} may all be {kind}s; choose one with "
            f"{kind} = \"…\" next to 'predictions'"
        )
    raise BenchError(
        f"{file}: no column is called {', '.join(aliases)}; the columns are {listed}: choose that "
        f"of {kind}s with {kind} = \"…\" next to 'predictions', or set header = false if the first "
        "line is a prediction"
    )


def _delimited(file: Path, form: str, columns: FileColumns) -> tuple[Sequence[str], Iterator[Row]]:
    """Read a CSV, or a TSV, which has no quoting."""
    if form == "csv":
        split = _csv_lines(file, read_text(file))
    else:
        split = [*enumerate((line.split("\t") for line in read_lines(file)), 1)]
    lines = ((number, cells) for number, cells in split if cells not in ([], [""]))
    names: Sequence[str] = ["id", "text"]
    if columns.header:
        number, names = next(lines, (1, []))
        if len(set(names)) < len(names):
            raise BenchError(f"{file}: line {number} has a column name twice; rename one")
    return names, _cells(file, names, lines)


def _cells(
    file: Path, names: Sequence[str], lines: Iterator[tuple[int, list[str]]]
) -> Iterator[Row]:
    for number, cells in lines:
        if len(cells) != len(names):
            raise BenchError(
                f"{file}: line {number} has {len(cells)} columns, not {len(names)} "
                f"({', '.join(map(quoted, names))}); quote texts that have the separator"
            )
        yield f"line {number}", dict(zip(names, cells, strict=True))


def _csv_lines(file: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV, each with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    # The limit is a setting of the whole process.
    before = csv.field_size_limit(_MAX_FIELD)
    try:
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise BenchError(
            f"{file}: line {reader.line_num} is not CSV ({error}); write it with a CSV library"
        ) from None
    finally:
        csv.field_size_limit(before)


def _json_lines(file: Path) -> tuple[Sequence[str], Iterator[Row]]:
    rows: list[Row] = [
        (f"line {number}", _object(file, number, line))
        for number, line in enumerate(read_lines(file), 1)
        if line.strip()
    ]
    # A row may lack columns.
    names = [*dict.fromkeys(name for _, row in rows for name in row)]
    return names, iter(rows)


def _object(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BenchError(
            f"{file}: line {number} is not JSON ({error}); write one object per line"
        ) from None
    if not isinstance(row, dict):
        raise BenchError(
            f"{file}: line {number} is not a JSON object; write one object with id and text per "
            "line"
        )
    return row


def _parquet(file: Path) -> tuple[Sequence[str], Iterator[Row]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with open_regular(file) as stream, parquet.ParquetFile(stream) as opened:
            if opened.metadata.num_rows > _MAX_ROWS:
                raise BenchError(
                    f"{file}: the file has more than {_MAX_ROWS:,} rows; write one per sample"
                )
            # Lists, such as the paths in predictions of bench, are neither ids nor texts.
            names = [f.name for f in opened.schema_arrow if not pa.types.is_nested(f.type)]
            rows = opened.read(columns=names, use_threads=False).to_pylist()
    # Arrow raises OSError for malformed content too, but without an errno.
    except (pa.ArrowException, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = one_line(error)
        raise BenchError(f"{file}: the file is not Parquet ({reason}); write it again") from None
    return names, ((f"row {number}", row) for number, row in enumerate(rows, 1))
