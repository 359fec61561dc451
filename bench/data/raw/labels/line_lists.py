"""Lists with one line per image: its path, then its text, with a tab, comma or space between."""

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
from bench.data.raw.labels.data_folder import PROBED, DataFolder
from bench.data.raw.labels.label_format import BOTH_KINDS, SPECIFIC, LabelFormat, Row

_SUFFIXES = (".txt", ".tsv", ".csv", ".lst", ".list")


@dataclass(frozen=True)
class LineList(LabelFormat):
    """What the lists have in common."""

    gives: ClassVar[frozenset[InputKind]] = BOTH_KINDS

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the text files that may be lists."""
        return label_text.named(data, _SUFFIXES)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield a row per line, or per image of a line that names several."""
        base, name = data.base(labels, self._paths(labels)), data.relative(labels)
        for number, line in self.lines(labels):
            place = f"{name}:{number}"
            if not image_tree.is_text(line):
                yield Rejected(place, "a row that is not UTF-8")
                continue
            try:
                paths, text = self.split(line)
            except SampleError as error:
                yield Rejected(place, str(error))
                continue
            for path in paths:
                try:
                    identity, source = data.source(base, path)
                except SampleError as error:
                    yield Rejected(place, str(error))
                else:
                    yield Row(identity, text.strip(label_text.BLANKS), source)

    def lines(self, labels: Path) -> Iterator[tuple[int, str]]:
        """Yield the lines that are rows, with their numbers."""
        return label_text.lines(labels)

    @abstractmethod
    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Return the paths and the text of a line. Raises SampleError where it has none."""

    def _paths(self, labels: Path) -> list[str]:
        """Return the first paths of a list."""
        paths: list[str] = []
        for _, line in islice(self.lines(labels), PROBED):
            try:
                paths += self.split(line)[0]
            except SampleError:
                continue
        return paths


@dataclass(frozen=True)
class TabList(LineList):
    """A tab between path and text: gt.txt of clovaai's converter, PaddleOCR's recognition labels.

    PaddleOCR also writes a JSON list of paths before the tab: each of the images has the text.
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
        return (_listed(path) if path.lstrip().startswith("[") else [path]), text


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
    """Spaces between path and text: PARSeq's lists, TRDG's labels.txt. No path has a space."""

    name: ClassVar[str] = "space"
    about: ClassVar[str] = "lines such as 1.jpg two words"

    def split(self, line: str) -> tuple[Sequence[str], str]:
        """Split at the first run of spaces; a row with a tab is one of another format."""
        if "\t" in line:
            raise SampleError("a row with a tab")
        match line.split(maxsplit=1):
            case [path, text]:
                return [path], text
            case _:
                raise SampleError("a row without a space")


@dataclass(frozen=True)
class EasyOcrList(CommaList):
    """EasyOCR's labels.csv: the header `filename,words`, then lines split at their first comma."""

    name: ClassVar[str] = "easyocr"
    about: ClassVar[str] = "the header filename,words, then lines such as 1.jpg,Yes, sir"
    certainty: ClassVar[int] = SPECIFIC

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the CSV files with that header."""
        return [file for file in label_text.named(data, (".csv",)) if _has_header(file)]

    def lines(self, labels: Path) -> Iterator[tuple[int, str]]:
        """Yield the lines below the header."""
        return islice(label_text.lines(labels), int(_has_header(labels)), None)


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
        r"""Take the text between the quotes, where `\"` is a quote and `\\` a backslash."""
        match = self._ROW.fullmatch(line)
        if match is None:
            raise SampleError('a row that is not: path, "text"')
        return [match[1]], self._ESCAPE.sub(r"\1", match[2])


def _listed(field: str) -> list[str]:
    try:
        paths = json.loads(field)
    except (ValueError, RecursionError):
        paths = None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths) or not paths:
        raise SampleError("a list of paths that is not JSON")
    return paths


def _has_header(file: Path) -> bool:
    first = next(label_text.lines(file), (0, ""))[1]
    return [word.strip().lower() for word in first.split(",")] == ["filename", "words"]
