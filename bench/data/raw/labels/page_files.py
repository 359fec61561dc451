"""Base class of label formats with one file per page."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.core.regular_files import open_regular
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import DataFolder
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row
from bench.data.raw.labels.pages import Page, PageScans, page_rows

_MAX_START_BYTES = 65_536
"""The number of first bytes by which the format of a file is recognized."""


@dataclass(frozen=True)
class PageFiles(LabelFormat):
    """Label files of pages, whose lines are cut out of the images of the pages.

    The column `page` of a row is the path of its label file.
    """

    certainty: ClassVar[int] = CERTAIN
    grouped_by: ClassVar[str] = "page"
    suffixes: ClassVar[tuple[str, ...]]
    """The suffixes of label files, in lower case."""

    @abstractmethod
    def is_page(self, start: bytes) -> bool | None:
        """Return whether a file with these first bytes is of the format, None if unknown."""

    @abstractmethod
    def pages(self, document: bytes) -> Sequence[Page]:
        """Return the pages of a file. Raises SampleError if it cannot be read."""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with files that may be of the format."""
        folders: dict[Path, None] = {}
        for file in data.files:
            if file.parent not in folders and self._is_page(file):
                folders[file.parent] = None
        return sorted(folders)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the lines of the pages in a folder, by file name and in the order of each file."""
        scans = PageScans()
        files = (file for file in data.files if file.parent == labels)
        for file in [labels] if labels.is_file() else files:
            # None is read too, so that a file with damaged first bytes is rejected, not skipped.
            if self._is_page(file) is False:
                continue
            name = data.relative(file)
            try:
                pages = self.pages(image_tree.read_file(data.root, name))
            except SampleError as error:
                yield Rejected(name, str(error))
                continue
            for page in pages:
                for line in page_rows(file, page, data, scans):
                    yield line if isinstance(line, Rejected) else Row(*line, {"page": name})

    def _is_page(self, file: Path) -> bool | None:
        if not file.name.lower().endswith(self.suffixes):
            return False
        try:
            with open_regular(file) as stream:
                return self.is_page(stream.read(_MAX_START_BYTES))
        except OSError:
            return None
