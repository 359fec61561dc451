"""Pages of text: lines as polygons on the image of a page, and their cut-out images."""

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
"""Characters that are removed at both ends of a text; a no-break space is part of it."""
_MAX_DECODED_PAGES = 8
"""Pages that are kept decoded, because lines of several pages are cut out at the same time."""
_POINT = re.compile(r"(-?[0-9]{1,7}(?:\.[0-9]{1,9})?)[\s,]+(-?[0-9]{1,7}(?:\.[0-9]{1,9})?)[\s,]*")
_SUFFIXES = [spelled for suffix in sorted(IMAGE_SUFFIXES) for spelled in (suffix, suffix.upper())]
_MIN_POINTS = 3
_MAX_COORDINATE = 10**6

Point = tuple[float, float]


class PageLine(NamedTuple):
    """One line of a page; `fault` is a clause if it cannot be a sample, else empty."""

    id: str
    text: str
    polygon: Sequence[Point]
    fault: str = ""


@dataclass(frozen=True)
class Page:
    """A page as described by its label file.

    Attributes:
        image: The name or path of the image of the page.
        width: The width of the page in the unit of its polygons; 0 if it is not known.
        height: The height in the same unit; 0 if it is not known.
        in_pixels: Whether the unit is a pixel of the image.
        lines: The lines in the order of the file.
    """

    image: str
    width: float
    height: float
    in_pixels: bool
    lines: Sequence[PageLine]


class PageScans:
    """Images of pages, each decoded once for all of its lines."""

    def __init__(self) -> None:
        # Threads load lines of the same page at about the same time; a lock decodes it once.
        self._decode_page = lru_cache(_MAX_DECODED_PAGES)(_decode_page)
        self._locks: dict[ImageFile, threading.Lock] = {}

    def pixels(self, image: ImageFile) -> Pixels:
        """Return the pixels (H, W, 3) of a page. Raises SampleError."""
        with self._locks.setdefault(image, threading.Lock()):
            return self._decode_page(image)


@dataclass(frozen=True)
class LineCut:
    """The image of a line: the bounding box of its polygon, white outside the polygon.

    Parts of the polygon outside the page are cut off.
    """

    scans: PageScans
    page: Page
    scan: ImageFile | None
    polygon: Sequence[Point]

    def exists(self) -> bool:
        """Return whether the image of the page exists."""
        return self.scan is not None

    def load(self) -> Sequence[bytes]:
        """Return the line as a PNG, which is gray if all its pixels are. Raises SampleError."""
        import cv2

        if self.scan is None:
            raise SampleError("a page image that is missing")
        cut = self._crop(self.scans.pixels(self.scan))
        gray = cut[..., 0]
        is_gray = bool((cut == gray[..., None]).all())
        return (cv2.imencode(".png", gray if is_gray else cut[..., ::-1])[1].tobytes(),)

    def _crop(self, scan: Pixels) -> Pixels:
        """Return the bounding box (H, W, 3) of the polygon, white outside the polygon."""
        import cv2
        import numpy as np

        rows, columns = scan.shape[:2]
        points = np.array(self.polygon) * self._pixels_per_unit(columns, rows)
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

    def _pixels_per_unit(self, columns: int, rows: int) -> Point:
        """Return the factors from coordinates to pixels of an image of this size."""
        page = self.page
        if page.in_pixels:
            if page.width and (page.width, page.height) != (columns, rows):
                raise SampleError("a page image of another size than in its XML file")
            return 1, 1
        return columns / page.width, rows / page.height


def page_rows(
    file: Path, page: Page, data: DataFolder, scans: PageScans
) -> Iterator[tuple[str, str, LineCut] | Rejected]:
    """Yield the id, the text and the image of each line of a page, or a Rejected.

    An id is the path of the label file in the folder, without suffix, and the id of the line.
    """
    name, scan = data.relative(file.with_suffix("")), page_image(file, page.image, data)
    for line in page.lines:
        identity = f"{name}/{line.id}"
        if fault := line.fault or _fault(line):
            yield Rejected(identity, fault)
        else:
            yield identity, line.text, LineCut(scans, page, scan, line.polygon)


def page_image(file: Path, image: str, data: DataFolder) -> ImageFile | None:
    """Return the image of the page of a label file, None if it does not exist.

    Candidates are the path as written, its file name, and the name of the label file with the
    suffix of an image. They are searched in the folder of images if one is set; else in the folder
    of `file` and each folder above it in the data, and in folders such as `images` there.
    """
    path = image.strip().replace("\\", "/")
    last = path.rpartition("/")[2]
    names = [path, last, *(file.stem + suffix for suffix in _SUFFIXES)]
    for name in filter(None, dict.fromkeys(names)):
        for base in _image_folders(file, data):
            image_file = _image_at(base, name, data)
            if image_file is not None and image_file.exists():
                return image_file
    return None


def _image_folders(file: Path, data: DataFolder) -> Iterator[Path]:
    if data.images is not None:
        yield data.images
        return
    for folder in file.parents:
        if not folder.is_relative_to(data.root):
            return
        yield from (folder / name for name in IMAGE_FOLDERS)


def _image_at(base: Path, name: str, data: DataFolder) -> ImageFile | None:
    """Return the image `name` relative to `base`, None if it leads out of the data folder."""
    if base.is_relative_to(data.root):
        # A path such as ../images/1.png may leave the folder of its XML file within the data.
        name = posixpath.normpath(PurePosixPath(base.relative_to(data.root), name))
        base = data.root
    try:
        _, image_file = data.source(base, name)
    except SampleError:
        return None
    return None if isinstance(image_file, FrameFolder) else image_file


def parse_points(text: str) -> list[Point]:
    """Parse points such as `1,2 9,2 9,8`, with commas or spaces. Raises SampleError."""
    corners, end = [], 0
    text = text.strip()
    while end < len(text):
        match = _POINT.match(text, end)
        if match is None:
            raise SampleError("a polygon that is not a list of points")
        corners.append((float(match[1]), float(match[2])))
        end = match.end()
    return corners


def box_corners(left: float, top: float, width: float, height: float) -> list[Point]:
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


def _decode_page(image: ImageFile) -> Pixels:
    from bench.data.inputs import images

    try:
        return images.decode_image(image.load()[0], 3)
    except SampleError as error:
        raise SampleError(f"an unusable page image ({error})") from None
