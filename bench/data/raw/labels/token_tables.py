"""Label formats of tables whose first word is an id: Kaldi folders, and tables of PyLaia."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from bench.core.errors import BenchError
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder, FrameFolder, ImageFile
from bench.data.raw.labels.label_format import CERTAIN, SPECIFIC, LabelFormat, Row

_BLANK = re.compile(f"[{label_text.BLANKS}]+")
_SUFFIXES = (
    "",
    *sorted(image_tree.IMAGE_SUFFIXES, key=lambda suffix: suffix not in {".png", ".jpg"}),
)
"""Suffixes that may be missing after the name of an image, the most likely first."""


@dataclass(frozen=True)
class Kaldi(LabelFormat):
    """A folder of Kaldi: `text`, `images.scp` with the path of each image, optionally `utt2spk`.

    The column `writer` is the speaker in `utt2spk`. An image that is the output of a command is
    rejected; no command is run.
    """

    name: ClassVar[str] = "kaldi"
    about: ClassVar[str] = "Kaldi's files text and images.scp"
    certainty: ClassVar[int] = CERTAIN
    grouped_by: ClassVar[str] = "writer"

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with `text` and `images.scp`."""
        files = set(data.files)
        return [
            file.parent
            for file in data.files
            if file.name == "text" and file.with_name("images.scp") in files
        ]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the rows of `text`."""
        text, scp, writers = (labels / name for name in ("text", "images.scp", "utt2spk"))
        for file in (text, scp):
            if not file.is_file():
                raise BenchError(f"{file} is missing; name a folder of Kaldi with both files")
        paths = dict(_pairs(scp))
        writer = dict(_pairs(writers)) if writers.is_file() else {}
        base = data.base(scp, [*islice(paths.values(), MAX_PROBED)])
        prefix = data.prefix(labels)
        for number, line in label_text.label_lines(text):
            identity, words = _split_first_word(line)
            row_name = f"{data.relative(text)}:{number}"
            if not image_tree.is_text(line):
                yield Rejected(row_name, "a row that is not UTF-8")
                continue
            try:
                _, source = data.source(base, _path(identity, paths))
            except SampleError as error:
                yield Rejected(f"{prefix}{identity}", str(error))
            else:
                columns = {"writer": writer.get(identity, "")}
                yield Row(f"{prefix}{identity}", words, source, columns)


@dataclass(frozen=True)
class PyLaia(LabelFormat):
    """A table of PyLaia or Laia: the name of an image, and the symbols of its text.

    The name may lack the suffix of the image. Rows that begin with # are comments.

    Attributes:
        space: The symbol of a space.
    """

    name: ClassVar[str] = "pylaia"
    about: ClassVar[str] = "rows such as im1 T w o <space> w"
    certainty: ClassVar[int] = SPECIFIC

    space: str = "<space>"

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the text files whose first rows have single characters and symbols for spaces."""
        files = label_text.list_files(data, (".txt", ".tbl", ".table"))
        return [file for file in files if self._is_table(file)]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per line."""
        names = (_split_first_word(line)[0] for _, line in islice(_symbols(labels), MAX_PROBED))
        suffixes = [*_SUFFIXES]
        probes = [
            name + suffix
            for name in islice(names, MAX_PROBED // len(suffixes))
            for suffix in suffixes
        ]
        base = data.base(labels, probes)
        for number, line in _symbols(labels):
            name, symbols = _split_first_word(line)
            row_name = f"{data.relative(labels)}:{number}"
            if not image_tree.is_text(line):
                yield Rejected(row_name, "a row that is not UTF-8")
                continue
            text = "".join(
                " " if symbol == self.space else symbol for symbol in _BLANK.split(symbols)
            )
            try:
                identity, source = _image(base, name, suffixes, data)
            except SampleError as error:
                yield Rejected(row_name, str(error))
            else:
                yield Row(identity, text, source)

    def _is_table(self, file: Path) -> bool:
        """Return whether the first rows have only symbols, including that of a space."""
        rows = [
            _BLANK.split(_split_first_word(line)[1])
            for _, line in islice(_symbols(file), MAX_PROBED)
        ]
        symbols = {symbol for row in rows for symbol in row if symbol}
        return self.space in symbols and all(map(_is_symbol, symbols - {self.space}))


def _split_first_word(line: str) -> tuple[str, str]:
    """Return the first word of a line, and the rest. A no-break space does not separate words."""
    first, *rest = _BLANK.split(line.strip(label_text.BLANKS), 1)
    return first, "".join(rest)


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    return (_split_first_word(line) for _, line in label_text.label_lines(file))


def _symbols(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a table that are not comments, with their numbers."""
    return ((number, line) for number, line in label_text.label_lines(file) if line[:1] != "#")


def _is_symbol(word: str) -> bool:
    """Return whether a word is one character with combining marks, or `<name>`."""
    return all(map(unicodedata.combining, word[1:])) or (word[0] == "<" and word[-1] == ">")


def _path(identity: str, paths: dict[str, str]) -> str:
    """Return the path of an image in images.scp. Raises SampleError."""
    path = paths.get(identity, "")
    if not path:
        raise SampleError("an id that is not in images.scp")
    if path.startswith("|") or path.endswith("|"):
        raise SampleError("an image that is the output of a command")
    return path


def _image(
    base: Path, name: str, suffixes: list[str], data: DataFolder
) -> tuple[str, ImageFile | FrameFolder]:
    """Return id and image of a name; move the suffix that fits to the front for the next names."""
    for index, suffix in enumerate(suffixes):
        identity, source = data.source(base, name + suffix)
        if source.exists():
            suffixes.insert(0, suffixes.pop(index))
            return identity, source
    return data.source(base, name)
