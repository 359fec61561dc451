"""The label formats PAGE-XML and ALTO."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.data.raw.entries import SampleError
from bench.data.raw.labels import xml_elements
from bench.data.raw.labels.page_files import PageFiles
from bench.data.raw.labels.pages import (
    WHITE_SPACE,
    Page,
    PageLine,
    Point,
    box_corners,
    parse_points,
)
from bench.data.raw.labels.xml_elements import Element

_INDEX = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class _XmlPages(PageFiles):
    """Base class of formats with one XML file per page."""

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)
    root: ClassVar[str]
    """The name of the root element."""

    @abstractmethod
    def page(self, root: Element) -> Page:
        """Return the page of a document. Raises SampleError if it has none."""

    def is_page(self, start: bytes) -> bool | None:
        """Return whether the root element is that of the format."""
        name = xml_elements.root_name(start)
        return name == self.root if name else None

    def pages(self, document: bytes) -> Sequence[Page]:
        """Return the one page of a document."""
        root = xml_elements.parse_xml(document)
        if root.name != self.root:
            raise SampleError(f"an XML file without {self.root}")
        return [self.page(root)]


@dataclass(frozen=True)
class PageXml(_XmlPages):
    """PAGE-XML of any year, as written by OCR-D, Transkribus, eScriptorium and Aletheia.

    The text of a line is that of its TextEquiv with the lowest index, else its words joined by
    spaces. Spaces at both ends are removed, but not no-break spaces.
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
            for number, line in enumerate(page.descendants("TextLine"), 1)
        ]
        attributes = page.attributes
        width, height = _size(attributes.get("imageWidth")), _size(attributes.get("imageHeight"))
        return Page(attributes.get("imageFilename", ""), width, height, in_pixels=True, lines=lines)


@dataclass(frozen=True)
class Alto(_XmlPages):
    """ALTO of any version, as written by libraries, ABBYY and kraken.

    Each SP is a space; in a file without SP, there is a space between all Strings of a line. A
    hyphen (HYP) is visible in the image, so it is part of the text. Coordinates in other units than
    pixels are scaled by the sizes of the page and of its image.
    """

    name: ClassVar[str] = "alto"
    about: ClassVar[str] = "ALTO XML files with TextLine elements, and images of the pages"
    root: ClassVar[str] = "alto"

    def page(self, root: Element) -> Page:
        """Return the page of a document."""
        pages = list(root.descendants("Page"))
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
            for number, line in enumerate(page.descendants("TextLine"), 1)
        ]
        return Page(_content(root, "fileName"), width, height, in_pixels, lines)


def _page_text(line: Element) -> str:
    """Return the text of a TextLine or of its words, "" if there is none."""
    if text := _main_text(line):
        return text
    return " ".join(filter(None, map(_main_text, line.children_named("Word"))))


def _main_text(element: Element) -> str:
    """Return the text of the TextEquiv with the lowest index, else of the first one."""
    texts = list(element.children_named("TextEquiv"))
    if not texts:
        return ""
    indexed = [
        (int(text.attributes["index"]), position)
        for position, text in enumerate(texts)
        if _INDEX.fullmatch(text.attributes.get("index", ""))
    ]
    main = texts[min(indexed)[1] if indexed else 0]
    return next((unicode.text.strip(WHITE_SPACE) for unicode in main.children_named("Unicode")), "")


def _coords(line: Element) -> tuple[Sequence[Point], str]:
    """Return the polygon of a TextLine, and a fault or ""."""
    coords = next(line.children_named("Coords"), None)
    if coords is None:
        return (), ""
    # Files of the version of 2010 have one element per point.
    pairs = [
        f"{point.attributes.get('x', '')},{point.attributes.get('y', '')}"
        for point in coords.children_named("Point")
    ]
    return _points(coords.attributes.get("points") or " ".join(pairs))


def _alto_text(line: Element, spaced: bool) -> str:  # noqa: FBT001 (private)
    """Return the text of a TextLine; `spaced` puts a space between all its Strings."""
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
    """Return the polygon of a TextLine, else its box, and a fault or ""."""
    for shape in line.children_named("Shape"):
        for polygon in shape.children_named("Polygon"):
            return _points(polygon.attributes.get("POINTS", ""))
    corner = " ".join(line.attributes.get(key, "") for key in ("HPOS", "VPOS"))
    extent = " ".join(line.attributes.get(key, "") for key in ("WIDTH", "HEIGHT"))
    corners, fault = _points(f"{corner} {extent}")
    if fault or len(corners) != 2:  # noqa: PLR2004 (a corner and an extent)
        return (), fault
    (left, top), (width, height) = corners
    return box_corners(left, top, width, height), ""


def _points(text: str) -> tuple[Sequence[Point], str]:
    try:
        return parse_points(text), ""
    except SampleError as error:
        return (), str(error)


def _content(root: Element, name: str) -> str:
    element = root.first(name)
    return "" if element is None else element.text.strip()


def _size(text: str | None) -> float:
    """Return a width or height, 0 if it is missing or invalid."""
    try:
        [(size, _)] = parse_points(f"{text} 0")
    except (SampleError, ValueError):
        return 0
    return max(size, 0)
