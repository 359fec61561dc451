"""Label formats with one line per image: path and text, separated by a tab, comma or space."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from bench.core.types import InputKind
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder
from bench.data.raw.labels.label_format import BOTH_KINDS, SPECIFIC, LabelFormat, Row

_SUFFIXES = (".txt", ".tsv", ".csv", ".lst", ".list")


@dataclass(frozen=True)
class LineList(LabelFormat):
    """Base class of lists with one line per image."""

    gives: ClassVar[frozenset[InputKind]] = BOTH_KINDS

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the text files that may be lists."""
        return label_text.list_files(data, _SUFFIXES)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per line, or per image of a line with several paths."""
        base, name = data.base(labels, self._paths(labels)), data.relative(labels)
        for number, line in self.lines(labels):
            row_name = f"{name}:{number}"
            if not image_tree.is_text(line):
                yield Rejected(row_name, "a row that is not UTF-8")
                continue
            try:
                paths, text = self.split(line)
            except SampleError as error:
                yield Rejected(row_name, str(error))
                continue
            for path in paths:
                try:
                    identity, source = data.source(base, path)
                except SampleError as error:
                    yield Rejected(row_name, str(error))
                else:
                    yield Row(identity, text.strip(label_text.BLANKS), source)

    def lines(self, labels: Path) -> Iterator[tuple[int, str]]:
        """Yield the lines with samples, with their numbers."""
        return label_text.label_lines(labels)

    @abstractmethod
    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Return the paths and the text of a line. Raises SampleError if it has no such parts."""

    def _paths(self, labels: Path) -> list[str]:
        """Return the first paths of a list."""
        paths: list[str] = []
        for _, line in islice(self.lines(labels), MAX_PROBED):
            try:
                paths += self.split(line)[0]
            except SampleError:
                continue
        return paths


@dataclass(frozen=True)
class TabList(LineList):
    """A tab between path and text, as in gt.txt of clovaai and in recognition labels of PaddleOCR.

    PaddleOCR also writes a JSON list of paths before the tab; all these images have the text.
    """

    name: ClassVar[str] = "tab"
    about: ClassVar[str] = "lines such as 1.jpg<tab>two words"

    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Split at the only tab."""
        path, tab, text = line.partition("\t")
        if not tab:
            raise SampleError("a row without a tab")
        if "\t" in text:
            raise SampleError("a row with more than one tab")
        return (_parse_paths(path) if path.lstrip().startswith("[") else [path]), text


@dataclass(frozen=True)
class CommaList(LineList):
    """A comma between path and text, and no header; the text may have further commas."""

    name: ClassVar[str] = "comma"
    about: ClassVar[str] = "lines such as 1.jpg,two words"

    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Split at the first comma; quotes are text."""
        path, comma, text = line.partition(",")
        if not comma:
            raise SampleError("a row without a comma")
        return [path], text


@dataclass(frozen=True)
class SpaceList(LineList):
    """Spaces between path and text, as in lists of PARSeq and TRDG; paths have no space."""

    name: ClassVar[str] = "space"
    about: ClassVar[str] = "lines such as 1.jpg two words"

    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Split at the first spaces; reject rows with a tab, which are of another format."""
        if "\t" in line:
            raise SampleError("a row with a tab")
        match line.split(maxsplit=1):
            case [path, text]:
                return [path], text
            case _:
                raise SampleError("a row without a space")


@dataclass(frozen=True)
class EasyOcrList(CommaList):
    """labels.csv of EasyOCR: the header `filename,words`, then lines split at their first comma."""

    name: ClassVar[str] = "easyocr"
    about: ClassVar[str] = "the header filename,words, then lines such as 1.jpg,Yes, sir"
    certainty: ClassVar[int] = SPECIFIC

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the CSV files with that header."""
        return [file for file in label_text.list_files(data, (".csv",)) if _has_header(file)]

    def lines(self, labels: Path) -> Iterator[tuple[int, str]]:
        """Yield the lines below the header."""
        return islice(label_text.label_lines(labels), int(_has_header(labels)), None)


@dataclass(frozen=True)
class IcdarList(LineList):
    r"""The word lists of ICDAR 2013 and 2015: `word_1.png, "say \"hi\""`."""

    name: ClassVar[str] = "icdar"
    gives: ClassVar[frozenset[InputKind]] = frozenset({"image"})
    about: ClassVar[str] = 'lines such as word_1.png, "two words"'
    certainty: ClassVar[int] = SPECIFIC

    _ROW: ClassVar[re.Pattern[str]] = re.compile(r'([^"]+?)\s*,\s*"(.*)"\s*')
    _ESCAPE: ClassVar[re.Pattern[str]] = re.compile(r'\\(["\\])')

    def split(self, line: str) -> tuple[Sequence[str], str]:
        r"""Return the path, and the text in quotes; `\"` is a quote, `\\` a backslash."""
        match = self._ROW.fullmatch(line)
        if match is None:
            raise SampleError('a row that is not: path, "text"')
        return [match[1]], self._ESCAPE.sub(r"\1", match[2])


def _parse_paths(field: str) -> list[str]:
    try:
        paths = json.loads(field)
    except (ValueError, RecursionError):
        paths = None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths) or not paths:
        raise SampleError("a list of paths that is not JSON")
    return paths


def _has_header(file: Path) -> bool:
    first = next(label_text.label_lines(file), (0, ""))[1]
    return [word.strip().lower() for word in first.split(",")] == ["filename", "words"]
