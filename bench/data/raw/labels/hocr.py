"""The label format hOCR: pages of text in HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import ClassVar

from bench.data.raw.entries import SampleError
from bench.data.raw.labels.page_files import PageFiles
from bench.data.raw.labels.pages import WHITE_SPACE, Page, PageLine, Point, box_corners

_LINES = {"ocr_line", "ocrx_line", "ocr_header", "ocr_caption", "ocr_textfloat"}
_NUMBER = "(-?[0-9]{1,7}(?:\\.[0-9]{1,9})?)"
_BOX = re.compile(rf"\bbbox\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?![0-9.])")
_IMAGE = re.compile(r"""\bimage\s+(?:"([^"]*)"|'([^']*)'|([^\s;]+))""")
_BLANKS = re.compile(f"[{WHITE_SPACE}]+")


@dataclass(frozen=True)
class Hocr(PageFiles):
    """hOCR, as written by Tesseract and others: lines are boxes, and a file may have several pages.

    Spaces and line feeds between the words of a line are replaced by one space.
    """

    name: ClassVar[str] = "hocr"
    about: ClassVar[str] = "hOCR files with elements of the class ocr_line, and images of the pages"
    suffixes: ClassVar[tuple[str, ...]] = (".hocr", ".html", ".htm", ".xhtml")

    def is_page(self, start: bytes) -> bool:
        """Return whether the first bytes have an element of the class ocr_page."""
        return b"ocr_page" in start

    def pages(self, document: bytes) -> Sequence[Page]:
        """Return the pages of a document."""
        try:
            text = document.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SampleError("an hOCR file that is not UTF-8") from None
        parser = _Pages()
        parser.feed(text)
        parser.close()
        parser.finish()
        if not parser.pages:
            raise SampleError("an hOCR file without a page")
        return parser.pages


class _Pages(HTMLParser):
    """A parser that collects the pages of a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pages: list[Page] = []
        self._lines: list[PageLine] = []
        self._number = 0
        self._line = _Line("", "", (), 0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a page or a line, or count a nested element with the tag of the line."""
        if self._line.depth:
            self._line.depth += tag == self._line.tag
            return
        values = {name: value or "" for name, value in attrs}
        classes, title = {*values.get("class", "").split()}, values.get("title", "")
        if "ocr_page" in classes:
            self._begin_page(title)
        elif classes & _LINES and self.pages:
            self._number += 1
            identity = values.get("id") or f"line-{self._number}"
            self._line = _Line(tag, identity, _corners(title), 1)

    def handle_endtag(self, tag: str) -> None:
        """End a line at the end of its element."""
        line = self._line
        line.depth -= tag == line.tag and line.depth > 0
        if tag == line.tag and not line.depth:
            text = _BLANKS.sub(" ", "".join(line.parts)).strip(WHITE_SPACE)
            self._lines.append(PageLine(line.id, text, line.polygon))
            self._line = _Line("", "", (), 0)

    def handle_data(self, data: str) -> None:
        """Add text to the current line."""
        if self._line.depth:
            self._line.parts.append(data)

    def finish(self) -> None:
        """Add a line that is not closed at the end of the document, with a fault."""
        if self._line.depth:
            fault = "a line that does not end"
            self._lines.append(PageLine(self._line.id, "", self._line.polygon, fault))

    def _begin_page(self, title: str) -> None:
        match, corners = _IMAGE.search(title), _corners(title)
        image = next(filter(None, match.groups()), "") if match else ""
        width, height = corners[2] if corners else (0, 0)
        self._lines = []
        self.pages.append(Page(image, width, height, in_pixels=True, lines=self._lines))


class _Line:
    """A line that is being parsed; `depth` counts open elements named `tag`, 0 after its end."""

    def __init__(self, tag: str, identity: str, polygon: Sequence[Point], depth: int) -> None:
        self.tag = tag
        self.id = identity
        self.polygon = polygon
        self.depth = depth
        self.parts: list[str] = []


def _corners(title: str) -> Sequence[Point]:
    """Return the corners of the bbox in a title; empty if it has none."""
    match = _BOX.search(title)
    if match is None:
        return ()
    left, top, right, bottom = map(float, match.groups())
    return box_corners(left, top, right - left, bottom - top)
