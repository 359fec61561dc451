"""PAGE-XML and ALTO: the two formats of pages that are XML."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import xml_elements
from bench.data.raw.labels.data_folder import DataFolder
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row
from bench.data.raw.labels.pages import (
    WHITE_SPACE,
    Page,
    PageLine,
    PageScans,
    Point,
    box,
    page_rows,
    points,
)
from bench.data.raw.labels.xml_elements import Element

_INDEX = re.compile("[0-9]{1,9}")
_START = 65_536
"""Bytes in which the root element of a document begins."""


@dataclass(frozen=True)
class _XmlPages(LabelFormat):
    """Pages that have an XML file each, which has a folder in common with others.

    The column `page` of a line is the path of its XML file.
    """

    certainty: ClassVar[int] = CERTAIN
    root: ClassVar[str]
    """The name of the root element."""

    @abstractmethod
    def page(self, root: Element) -> Page:
        """Return what a document holds. Raises SampleError where it is no page."""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders that hold XML files with the root element of the format."""
        folders: dict[Path, None] = {}
        for file in data.files:
            if file.parent not in folders and _root_name(file) == self.root:
                folders[file.parent] = None
        return sorted(folders)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the lines of the pages in a folder, in the order of names and of their files."""
        scans = PageScans()
        files = (file for file in data.files if file.parent == labels)
        for file in [labels] if labels.is_file() else files:
            # A file that is broken or hostile in front of its root might be a page.
            if _root_name(file) not in {self.root, ""}:
                continue
            name = data.relative(file)
            try:
                page = self._page(image_tree.read(data.root, name))
            except SampleError as error:
                yield Rejected(name, str(error))
                continue
            for line in page_rows(file, page, data, scans):
                yield line if isinstance(line, Rejected) else Row(*line, {"page": name})

    def _page(self, document: bytes) -> Page:
        root = xml_elements.parsed(document)
        if root.name != self.root:
            raise SampleError(f"an XML file without {self.root}")
        return self.page(root)


@dataclass(frozen=True)
class PageXml(_XmlPages):
    """PAGE-XML of any year, as OCR-D, Transkribus, eScriptorium and Aletheia write it.

    A line's text is that of its TextEquiv with the lowest index, else of its words with a space
    between them. Spaces at its ends are dropped, no-break spaces are not.
    """

    name: ClassVar[str] = "page-xml"
    about: ClassVar[str] = "PAGE-XML files with TextLine polygons, and images of the pages"
    root: ClassVar[str] = "PcGts"

    def page(self, root: Element) -> Page:
        """Return the page of a document."""
        page = root.first("Page")
        if page is None:
            raise SampleError("an XML file without a Page")
        lines = [
            PageLine(line.attributes.get("id", f"line-{number}"), _page_text(line), *_coords(line))
            for number, line in enumerate(page.below("TextLine"), 1)
        ]
        about = page.attributes
        width, height = _size(about.get("imageWidth")), _size(about.get("imageHeight"))
        return Page(about.get("imageFilename", ""), width, height, in_pixels=True, lines=lines)


@dataclass(frozen=True)
class Alto(_XmlPages):
    """ALTO of any version, as libraries, ABBYY and kraken write it.

    A space is where an SP is; in a file without any, between all Strings of a line. A hyphen (HYP)
    is on the image, and so part of the text. Coordinates that are no pixels are scaled by the size
    of the page and of its image.
    """

    name: ClassVar[str] = "alto"
    about: ClassVar[str] = "ALTO XML files with TextLine elements, and images of the pages"
    root: ClassVar[str] = "alto"

    def page(self, root: Element) -> Page:
        """Return the page of a document."""
        pages = list(root.below("Page"))
        if len(pages) != 1:
            raise SampleError("an ALTO file that has not exactly one Page")
        [page] = pages
        width, height = (_size(page.attributes.get(key)) for key in ("WIDTH", "HEIGHT"))
        in_pixels = _content(root, "MeasurementUnit") in {"", "pixel"}
        if not in_pixels and not (width and height):
            raise SampleError(
                "an ALTO file in another unit than pixels, without a size of its page"
            )
        spaced = page.first("SP") is None
        lines = [
            PageLine(
                line.attributes.get("ID", f"line-{number}"), _alto_text(line, spaced), *_shape(line)
            )
            for number, line in enumerate(page.below("TextLine"), 1)
        ]
        return Page(_content(root, "fileName"), width, height, in_pixels, lines)


def _root_name(file: Path) -> str | None:
    """Return the name of the root element, "" where that is not clear, None of no XML file."""
    if file.suffix.lower() != ".xml":
        return None
    try:
        with file.open("rb") as stream:
            return xml_elements.root_name(stream.read(_START))
    except OSError:
        return ""


def _page_text(line: Element) -> str:
    """Return the text of a TextLine, "" where neither it nor one of its words has any."""
    if text := _main_text(line):
        return text
    return " ".join(filter(None, map(_main_text, line.named("Word"))))


def _main_text(element: Element) -> str:
    """Return the text of the TextEquiv with the lowest index, of the first one if none has any."""
    texts = list(element.named("TextEquiv"))
    if not texts:
        return ""
    indexed = [
        (int(text.attributes["index"]), place)
        for place, text in enumerate(texts)
        if _INDEX.fullmatch(text.attributes.get("index", ""))
    ]
    main = texts[min(indexed)[1] if indexed else 0]
    return next((each.text.strip(WHITE_SPACE) for each in main.named("Unicode")), "")


def _coords(line: Element) -> tuple[Sequence[Point], str]:
    """Return the polygon of a TextLine, and what is wrong with it."""
    coords = next(line.named("Coords"), None)
    if coords is None:
        return (), ""
    # Files of 2010 have an element for each point.
    pairs = [
        f"{point.attributes.get('x', '')},{point.attributes.get('y', '')}"
        for point in coords.named("Point")
    ]
    return _points(coords.attributes.get("points") or " ".join(pairs))


def _alto_text(line: Element, spaced: bool) -> str:  # noqa: FBT001 (private)
    """Return the text of a TextLine; `spaced`: with a space between all of its Strings."""
    text = ""
    for part in line.children:
        content = part.attributes.get("CONTENT", "")
        if part.name == "String":
            text += f" {content}" if spaced and text else content
        elif part.name == "SP":
            text += " "
        elif part.name == "HYP":
            text += content
    return text.strip(WHITE_SPACE)


def _shape(line: Element) -> tuple[Sequence[Point], str]:
    """Return the polygon of a TextLine, else its box, and what is wrong with it."""
    for shape in line.named("Shape"):
        for polygon in shape.named("Polygon"):
            return _points(polygon.attributes.get("POINTS", ""))
    corner = " ".join(line.attributes.get(key, "") for key in ("HPOS", "VPOS"))
    extent = " ".join(line.attributes.get(key, "") for key in ("WIDTH", "HEIGHT"))
    found, fault = _points(f"{corner} {extent}")
    if fault or len(found) != 2:  # noqa: PLR2004 (a corner and an extent)
        return (), fault
    (left, top), (width, height) = found
    return box(left, top, width, height), ""


def _points(text: str) -> tuple[Sequence[Point], str]:
    try:
        return points(text), ""
    except SampleError as error:
        return (), str(error)


def _content(root: Element, name: str) -> str:
    found = root.first(name)
    return "" if found is None else found.text.strip()


def _size(text: str | None) -> float:
    """Return a width or height, 0 where there is none."""
    try:
        [(size, _)] = points(f"{text} 0")
    except (SampleError, ValueError):
        return 0
    return max(size, 0)
