"""The label format of CSV and TSV tables with a header, such as metadata.csv of Hugging Face."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from bench.core.errors import BenchError
from bench.core.types import InputKind
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text, named_fields
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder
from bench.data.raw.labels.label_format import BOTH_KINDS, SPECIFIC, LabelFormat, Row

_DELIMITERS = "\t;,"
"""The delimiters, in the order in which they are tried on a header."""
_MAX_HEADER = 2**16
"""The largest number of characters in a header; a longer first line is not a header."""


@dataclass(frozen=True)
class CsvTable(LabelFormat):
    """A header, then one sample per row; values may be quoted, and are always read as text.

    Attributes:
        image: The column of paths. Empty: the first with a usual name such as `file_name`.
        text: The column of transcripts. Empty: the first with a usual name such as `text`.
        delimiter: The delimiter of columns. Empty: the first of tab, semicolon and comma that is in
            the header.
    """

    name: ClassVar[str] = "csv"
    gives: ClassVar[frozenset[InputKind]] = BOTH_KINDS
    about: ClassVar[str] = "a table with a header such as file_name,text"
    certainty: ClassVar[int] = SPECIFIC

    image: str = ""
    text: str = ""
    delimiter: str = ""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the files whose header has a column of paths and one of texts."""
        files = label_text.list_files(data, (".csv", ".tsv", ".txt"))
        return [file for file in files if self._columns(file)]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per record, with its other columns."""
        header = self._header(labels)
        image, text = self._require(labels, header)
        records = self._records(labels)
        base = data.base(
            labels, [r[image] for _, r in islice(records, MAX_PROBED) if len(r) > image]
        )
        name = data.relative(labels)
        for number, record in self._records(labels):
            row_name = f"{name}:{number}"
            if len(record) != len(header):
                reason = f"a row of {len(record)} columns, the header has {len(header)}"
                yield Rejected(row_name, reason)
                continue
            if not all(map(image_tree.is_text, record)):
                yield Rejected(row_name, "a row that is not UTF-8")
                continue
            try:
                identity, source = data.source(base, record[image])
            except SampleError as error:
                yield Rejected(row_name, str(error))
                continue
            columns = {
                key: value.strip(label_text.BLANKS)
                for column, (key, value) in enumerate(zip(header, record, strict=True))
                if column not in {image, text}
            }
            yield Row(identity, record[text].strip(label_text.BLANKS), source, columns)

    def _header(self, file: Path) -> list[str]:
        """Return the column names on the first line; empty if the line is not CSV."""
        with label_text.open_labels(file) as stream:
            first = stream.readline(_MAX_HEADER).rstrip("\r\n")
        try:
            [header] = [*csv.reader([first], delimiter=self._delimiter(first))] or [[]]
        except csv.Error:
            return []
        return [name.strip() for name in header]

    def _delimiter(self, header: str) -> str:
        return self.delimiter or next((each for each in _DELIMITERS if each in header), ",")

    def _columns(self, file: Path) -> tuple[int, int] | None:
        """Return the indices of the columns of paths and of texts, None if one is missing."""
        header = self._header(file)
        image = named_fields.find_field(header, named_fields.IMAGES, self.image)
        text = named_fields.find_field(header, named_fields.TEXTS, self.text)
        if image is None or text is None or image == text:
            return None
        return header.index(image), header.index(text)

    def _require(self, file: Path, header: list[str]) -> tuple[int, int]:
        if columns := self._columns(file):
            return columns
        if named_fields.find_field(header, named_fields.IMAGES, self.image) is None:
            raise named_fields.missing_field(self.name, file, header, "image", self.image)
        raise named_fields.missing_field(self.name, file, header, "text", self.text)

    def _records(self, file: Path) -> Iterator[tuple[int, list[str]]]:
        """Yield the records below the header, each with the number of its last line."""
        with label_text.open_labels(file) as stream:
            rows = label_text.bounded_lines(stream, file)
            reader = csv.reader(rows, delimiter=self._delimiter(next(rows, "")))
            try:
                for record in reader:
                    if any(record):
                        yield reader.line_num + 1, record
            except csv.Error as error:
                raise BenchError(
                    f"{file}:{reader.line_num + 1}: this is not CSV ({error}); check for a quote "
                    "that is not closed"
                ) from None
