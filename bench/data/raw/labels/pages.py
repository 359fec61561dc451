"""Pages of text: lines that are polygons on the image of a page, and how they are cut out of it."""

from __future__ import annotations

import posixpath
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.image_tree import IMAGE_SUFFIXES
from bench.data.raw.labels.data_folder import IMAGE_FOLDERS, DataFolder, FrameFolder, ImageFile

if TYPE_CHECKING:
    from bench.data.inputs.images import Pixels

WHITE_SPACE = " \t\r\n"
"""What is dropped at the ends of a text; a no-break space there is part of it."""
_MAX_DECODED = 8
"""Pages that are kept decoded: lines of several pages are cut out at the same time."""
_POINT = re.compile(r"(-?[0-9]{1,7}(?:\.[0-9]{1,9})?)[\s,]+(-?[0-9]{1,7}(?:\.[0-9]{1,9})?)[\s,]*")
_SUFFIXES = [spelled for suffix in sorted(IMAGE_SUFFIXES) for spelled in (suffix, suffix.upper())]
_MIN_POINTS = 3
_MAX_COORDINATE = 10**6

Point = tuple[float, float]


class PageLine(NamedTuple):
    """One line: `fault` says in a clause why it cannot be a sample, "" where it can."""

    id: str
    text: str
    polygon: Sequence[Point]
    fault: str = ""


@dataclass(frozen=True)
class Page:
    """A page as its file describes it.

    Attributes:
        image: The name or path of the image of the page.
        width: Of the page, in the unit of its polygons; 0 where it is not known.
        height: Likewise.
        in_pixels: Whether that unit is a pixel of the image.
        lines: In the order of the file.
    """

    image: str
    width: float
    height: float
    in_pixels: bool
    lines: Sequence[PageLine]


class PageScans:
    """Images of pages, each decoded once for the lines that are cut out of it."""

    def __init__(self) -> None:
        # Several threads are given the lines of a page at about the same time.
        self._decoded = lru_cache(_MAX_DECODED)(_decoded)
        self._turns: dict[ImageFile, threading.Lock] = {}

    def pixels(self, image: ImageFile) -> Pixels:
        """Return the pixels (H, W, 3) of a page. Raises SampleError."""
        with self._turns.setdefault(image, threading.Lock()):
            return self._decoded(image)


@dataclass(frozen=True)
class LineCut:
    """The image of a line: the box around its polygon, white outside the polygon.

    What of a polygon is outside the page is left out.
    """

    scans: PageScans
    page: Page
    scan: ImageFile | None
    polygon: Sequence[Point]

    def exists(self) -> bool:
        """Return whether the image of the page exists."""
        return self.scan is not None

    def load(self) -> Sequence[bytes]:
        """Return the line as a PNG, gray where the page is. Raises SampleError."""
        import cv2

        if self.scan is None:
            raise SampleError("a page image that is missing")
        cut = self._cut(self.scans.pixels(self.scan))
        gray = cut[..., 0]
        is_gray = bool((cut == gray[..., None]).all())
        return (cv2.imencode(".png", gray if is_gray else cut[..., ::-1])[1].tobytes(),)

    def _cut(self, scan: Pixels) -> Pixels:
        """Return the box (H, W, 3) around the polygon, white outside of it."""
        import cv2
        import numpy as np

        rows, columns = scan.shape[:2]
        points = np.array(self.polygon) * self._scale(columns, rows)
        points = np.rint(points).clip(-_MAX_COORDINATE, _MAX_COORDINATE).astype(np.int32)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        if left == right or top == bottom:
            raise SampleError("a polygon without an area")
        left, top = max(left, 0), max(top, 0)
        box = scan[top : bottom + 1, left : right + 1]
        if right < left or bottom < top or not box.size:
            raise SampleError("a polygon outside its page")
        inside = np.zeros(box.shape[:2], np.uint8)
        cv2.fillPoly(inside, [points - (left, top)], (1,))
        return np.where(inside[..., None], box, np.uint8(255))

    def _scale(self, columns: int, rows: int) -> Point:
        """Return by what coordinates are multiplied, for an image of so many pixels."""
        page = self.page
        if page.in_pixels:
            if page.width and (page.width, page.height) != (columns, rows):
                raise SampleError("a page image of another size than its XML file says")
            return 1, 1
        return columns / page.width, rows / page.height


def page_rows(
    file: Path, page: Page, data: DataFolder, scans: PageScans
) -> Iterator[tuple[str, str, LineCut] | Rejected]:
    """Yield id, text and image of each line of a page, and those that cannot be a sample.

    An id is the path of the page's file in the folder, without its suffix, and that of the line.
    """
    name, scan = data.relative(file.with_suffix("")), page_image(file, page.image, data)
    for line in page.lines:
        identity = f"{name}/{line.id}"
        if fault := line.fault or _fault(line):
            yield Rejected(identity, fault)
        else:
            yield identity, line.text, LineCut(scans, page, scan, line.polygon)


def page_image(file: Path, image: str, data: DataFolder) -> ImageFile | None:
    """Return the image of the page that `file` describes, None where there is none.

    Looked for are the path as it is written, its last part, and the name of `file` with the suffix
    of an image: in the folder of images that was named; else beside `file` and in each folder
    above it within the data, or there in a folder such as `images`.
    """
    path = image.strip().replace("\\", "/")
    last = path.rpartition("/")[2]
    names = [path, last, *(file.stem + suffix for suffix in _SUFFIXES)]
    for name in filter(None, dict.fromkeys(names)):
        for base in _bases(file, data):
            found = _image_at(base, name, data)
            if found is not None and found.exists():
                return found
    return None


def _bases(file: Path, data: DataFolder) -> Iterator[Path]:
    if data.images is not None:
        yield data.images
        return
    for folder in file.parents:
        if not folder.is_relative_to(data.root):
            return
        yield from (folder / name for name in IMAGE_FOLDERS)


def _image_at(base: Path, name: str, data: DataFolder) -> ImageFile | None:
    """Return what `name` is relative to `base`, None where it leads out of the data's folder."""
    if base.is_relative_to(data.root):
        # A path such as ../images/1.png may leave the folder of its XML file, and not the data's.
        name = posixpath.normpath(PurePosixPath(base.relative_to(data.root), name))
        base = data.root
    try:
        _, found = data.source(base, name)
    except SampleError:
        return None
    return None if isinstance(found, FrameFolder) else found


def points(text: str) -> list[Point]:
    """Return the points of `1,2 9,2 9,8`, with commas or spaces. Raises SampleError on others."""
    found, end = [], 0
    text = text.strip()
    while end < len(text):
        match = _POINT.match(text, end)
        if match is None:
            raise SampleError("a polygon that is not a list of points")
        found.append((float(match[1]), float(match[2])))
        end = match.end()
    return found


def box(left: float, top: float, width: float, height: float) -> list[Point]:
    """Return the corners of a rectangle."""
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _fault(line: PageLine) -> str:
    if not line.text.strip(WHITE_SPACE):
        return "a line without a text"
    if "\n" in line.text.strip(WHITE_SPACE):
        return "a text of several lines"
    if len(line.polygon) < _MIN_POINTS:
        return "a line without a polygon"
    return ""


def _decoded(image: ImageFile) -> Pixels:
    from bench.data.inputs import images

    try:
        return images.decode_image(image.load()[0], 3)
    except SampleError as error:
        raise SampleError(f"a page image that is {error}") from None
