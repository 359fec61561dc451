"""Label formats in JSON: one object per line, a map from path to text, and lists of MMOCR."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from bench.core.errors import BenchError
from bench.core.types import InputKind
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text, named_fields
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder
from bench.data.raw.labels.label_format import BOTH_KINDS, SPECIFIC, LabelFormat, Row

_MAX_FIRST_LINE = 2**16


class _LabelEntry(NamedTuple):
    """An entry of a label file: its position for messages, its path, text and other columns."""

    row_name: str
    path: str
    text: str
    columns: Mapping[str, str] = {}


def _as_rows(
    entries: Iterator[_LabelEntry | Rejected], base: Path, data: DataFolder
) -> Iterator[Row | Rejected]:
    for entry in entries:
        if isinstance(entry, Rejected):
            yield entry
        elif not (image_tree.is_text(entry.path) and image_tree.is_text(entry.text)):
            yield Rejected(entry.row_name, "a row that is not UTF-8")
        else:
            try:
                identity, source = data.source(base, entry.path)
            except SampleError as error:
                yield Rejected(entry.row_name, str(error))
            else:
                yield Row(identity, entry.text.strip(label_text.BLANKS), source, entry.columns)


def _base(entries: Iterator[_LabelEntry | Rejected], labels: Path, data: DataFolder) -> Path:
    first = islice(entries, MAX_PROBED)
    return data.base(labels, [entry.path for entry in first if isinstance(entry, _LabelEntry)])


@dataclass(frozen=True)
class JsonLines(LabelFormat):
    """A JSON object per line: metadata.jsonl of Hugging Face, the lists of MMOCR 0.x.

    Attributes:
        image: The field of the path. Empty: the first with a usual name such as `file_name`.
        text: The field of the transcript. Empty: the first with a usual name such as `text`.
    """

    name: ClassVar[str] = "jsonl"
    gives: ClassVar[frozenset[InputKind]] = BOTH_KINDS
    about: ClassVar[str] = 'lines such as {"file_name": "1.jpg", "text": "two words"}'
    certainty: ClassVar[int] = SPECIFIC

    image: str = ""
    text: str = ""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the text files whose first line is an object with a path and a text."""
        files = label_text.list_files(data, (".jsonl", ".json", ".ndjson", ".txt"))
        return [file for file in files if self._fields(_first_object(file))]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per line, with its other fields as columns of text."""
        if not self._fields(first := _first_object(labels)):
            option, chosen = ("text", self.text) if self._image(first) else ("image", self.image)
            raise named_fields.missing_field(self.name, labels, [*first], option, chosen)
        base = _base(self._entries(labels, data), labels, data)
        return _as_rows(self._entries(labels, data), base, data)

    def _image(self, record: Mapping[str, Any]) -> str | None:
        return named_fields.find_field(record, named_fields.IMAGES, self.image)

    def _fields(self, record: Mapping[str, Any]) -> tuple[str, str] | None:
        image, text = (
            self._image(record),
            named_fields.find_field(record, named_fields.TEXTS, self.text),
        )
        return (image, text) if image and text else None

    def _entries(self, labels: Path, data: DataFolder) -> Iterator[_LabelEntry | Rejected]:
        file = data.relative(labels)
        for number, line in label_text.label_lines(labels):
            row_name = f"{file}:{number}"
            record = _parsed(line)
            if not isinstance(record, dict):
                yield Rejected(row_name, "a row that is not a JSON object")
                continue
            if not (fields := self._fields(record)):
                yield Rejected(row_name, "a row without a path or a text")
                continue
            path, text = (record[name] for name in fields)
            if not isinstance(path, str) or not isinstance(text, str):
                yield Rejected(row_name, "a path or a text that is not a string")
                continue
            columns = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in record.items()
                if name not in fields
            }
            yield _LabelEntry(row_name, path, text, columns)


@dataclass(frozen=True)
class JsonMap(LabelFormat):
    """A map from paths to texts, such as docTR's labels.json."""

    name: ClassVar[str] = "json"
    gives: ClassVar[frozenset[InputKind]] = BOTH_KINDS
    about: ClassVar[str] = 'a map such as {"1.jpg": "two words"}'
    certainty: ClassVar[int] = SPECIFIC

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the JSON files that are maps from texts to texts."""
        files = label_text.list_files(data, (".json",))
        return [file for file in files if _is_map(_document(file))]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per path."""
        document = _document(labels)
        if not _is_map(document):
            raise BenchError(f"{labels}: this is not {self.about}; name another format")
        base = _base(self._entries(labels, data, document), labels, data)
        return _as_rows(self._entries(labels, data, document), base, data)

    @staticmethod
    def _entries(
        labels: Path, data: DataFolder, document: dict[str, str]
    ) -> Iterator[_LabelEntry | Rejected]:
        file = data.relative(labels)
        for number, (path, text) in enumerate(document.items(), 1):
            yield _LabelEntry(f"{file}: entry {number}", path, text)


@dataclass(frozen=True)
class MmocrList(LabelFormat):
    """The annotation file of MMOCR 1.x, an object with `data_list`."""

    name: ClassVar[str] = "mmocr"
    about: ClassVar[str] = 'MMOCR\'s {"data_list": [{"img_path": …, "instances": [{"text": …}]}]}'
    certainty: ClassVar[int] = SPECIFIC

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the JSON files with `data_list`."""
        files = label_text.list_files(data, (".json",))
        return [file for file in files if _data_list(_document(file)) is not None]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per image; an image with several instances is a page and is rejected."""
        listed = _data_list(_document(labels))
        if listed is None:
            raise BenchError(f"{labels}: this is not {self.about}; name another format")
        base = _base(self._entries(labels, data, listed), labels, data)
        return _as_rows(self._entries(labels, data, listed), base, data)

    @staticmethod
    def _entries(
        labels: Path, data: DataFolder, listed: list[Any]
    ) -> Iterator[_LabelEntry | Rejected]:
        file = data.relative(labels)
        for number, record in enumerate(listed, 1):
            row_name = f"{file}: entry {number}"
            match record:
                case {"img_path": str(path), "instances": [{"text": str(text)}]}:
                    yield _LabelEntry(row_name, path, text)
                case {"img_path": str(), "instances": [_, _, *_]}:
                    yield Rejected(row_name, "an image with several texts, which is a page")
                case _:
                    yield Rejected(
                        row_name, "an entry without img_path or the text of its instance"
                    )


def _parsed(text: str) -> Any:  # noqa: ANN401 (any JSON)
    """Return the value of a JSON text, None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _document(file: Path) -> Any:  # noqa: ANN401 (as `_parsed`)
    return _parsed(label_text.label_content(file))


def _first_object(file: Path) -> dict[str, Any]:
    """Return the object on the first line; empty if there is none."""
    with label_text.open_labels(file) as stream:
        # Limited, because a document without line feeds may be large.
        first = _parsed(stream.readline(_MAX_FIRST_LINE))
    return first if isinstance(first, dict) else {}


def _is_map(document: object) -> bool:
    return (
        isinstance(document, dict)
        and bool(document)
        and all(isinstance(text, str) for text in document.values())
    )


def _data_list(document: object) -> list[Any] | None:
    listed = document.get("data_list") if isinstance(document, dict) else None
    return listed if isinstance(listed, list) else None
