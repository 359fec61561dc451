"""Typefaces that need no font files: glyphs as masks, each drawn once.

OpenCV 5 includes the variable typefaces Rubik and Rubik Italic and a Chinese one with Latin
letters, Pillow includes Aileron. All are sans-serif, so `Pen` also draws skeletons with nibs and
serifs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.synthetic.skeletons import ASCENDERS, CAPITALS, X_HEIGHT, skeleton

ROWS, BASELINE = 56, 41
"""The height of glyph masks and the row of the baseline in pixels; capitals are 27 high."""
_SIZE = 38.0
_UNIT = 27 / CAPITALS
_SUPERSAMPLING = 4
_STEM_HEIGHTS = (0, X_HEIGHT, CAPITALS, ASCENDERS)

Mask = NDArray[np.uint8]


class Glyph(NamedTuple):
    """A glyph.

    Attributes:
        mask: The mask (ROWS, W), 0 to 255.
        left: The offset of the mask from the pen position, in pixels.
        advance: The distance to the pen position of the next glyph, in pixels.
    """

    mask: Mask
    left: int
    advance: float


class Face(ABC):
    """A typeface; equal objects draw equal glyphs."""

    @abstractmethod
    def draw(self, character: str) -> tuple[Mask, float]:
        """Return a canvas (ROWS, W) with `character` drawn from column ROWS, and its advance."""


@dataclass(frozen=True)
class OpenCVFace(Face):
    """A typeface of OpenCV 5, by name and weight from 300 (light) to 900 (black)."""

    typeface: str
    weight: int

    def draw(self, character: str) -> tuple[Mask, float]:
        """Return the canvas and the advance."""
        canvas = _canvas()
        font = cv2.FontFace(self.typeface)
        (end, _), drawn = cv2.putText(
            canvas, character, (ROWS, BASELINE), (255,), font, int(_SIZE), self.weight
        )
        return np.asarray(drawn, np.uint8), end - ROWS


@dataclass(frozen=True)
class PillowFace(Face):
    """The typeface of Pillow."""

    def draw(self, character: str) -> tuple[Mask, float]:
        """Return the canvas and the advance."""
        font = ImageFont.load_default(_SIZE)
        image = Image.fromarray(_canvas())
        ImageDraw.Draw(image).text((ROWS, BASELINE), character, 255, font, anchor="ls")
        return np.asarray(image), font.getlength(character)


@dataclass(frozen=True)
class Pen(Face):
    """Skeletons drawn with a pen.

    Attributes:
        point: The width of the round point in pixels.
        nib: Pixels that a broad nib adds to vertical strokes, and little to horizontal ones.
        serif: The length of serifs to each side of the ends of stems, in pixels.
    """

    point: float
    nib: float = 0.0
    serif: float = 0.0

    def draw(self, character: str) -> tuple[Mask, float]:
        """Return the canvas and the advance."""
        shape = skeleton(character, printed=True)
        canvas = np.zeros((ROWS * _SUPERSAMPLING, 3 * ROWS * _SUPERSAMPLING), np.uint8)
        scale = np.array([_UNIT, -_UNIT], np.float32) * _SUPERSAMPLING
        origin = np.array([ROWS + self.nib / 2, BASELINE], np.float32) * _SUPERSAMPLING
        for stroke in shape.strokes:
            path = stroke.path(stroke.points)
            self._trace(canvas, path * scale + origin)
            if self.serif and np.ptp(path[:, 1]) > 1:
                for end, inner in ((path[0], path[1]), (path[-1], path[-2])):
                    self._draw_serif(canvas, end, inner, scale, origin)
        drawn = cv2.resize(canvas, (3 * ROWS, ROWS), interpolation=cv2.INTER_AREA)
        return np.asarray(drawn, np.uint8), shape.width * _UNIT + self.nib + self.serif / 2 + 6

    def _trace(self, canvas: Mask, path: NDArray[np.float32]) -> None:
        line = np.rint(path).astype(np.int32)
        self._draw_line(canvas, line)
        half = np.rint(np.array([self.nib / 2, -self.nib / 8]) * _SUPERSAMPLING).astype(np.int32)
        for here, there in pairwise(line):
            corners = np.stack([here - half, here + half, there + half, there - half])
            cv2.fillConvexPoly(canvas, cv2.convexHull(corners), (255,))

    def _draw_line(self, canvas: Mask, line: NDArray[np.int32]) -> None:
        width = max(1, round(self.point * _SUPERSAMPLING))
        cv2.polylines(canvas, [line], isClosed=False, color=(255,), thickness=width)

    def _draw_serif(
        self,
        canvas: Mask,
        end: NDArray[np.float32],
        inner: NDArray[np.float32],
        scale: NDArray[np.float32],
        origin: NDArray[np.float32],
    ) -> None:
        across, up = np.abs(inner - end)
        if end[1] not in _STEM_HEIGHTS or across > up:
            return
        reach = np.array([_SUPERSAMPLING * (self.serif + self.nib / 2), 0], np.float32)
        center = end * scale + origin
        line = np.rint(np.stack([center - reach, center + reach])).astype(np.int32)
        self._draw_line(canvas, line)


@cache
def families() -> tuple[tuple[Face, ...], ...]:
    """Return the available faces, grouped by design."""
    pens = (
        (Pen(2.2), Pen(3.2), Pen(4.5)),
        (Pen(1.4, 2.5, 2.5), Pen(1.6, 4.0, 2.5), Pen(1.8, 6.0, 3.0)),
        (Pen(2.2, 0.0, 3.5), Pen(3.4, 0.0, 3.5), Pen(4.4, 1.0, 3.5)),
        (Pen(1.2, 3.5), Pen(1.6, 5.5)),
    )
    if not hasattr(cv2, "FontFace"):  # OpenCV 4
        return ((PillowFace(),), *pens)
    weights = (300, 400, 500, 600, 700, 900)
    return (
        tuple(OpenCVFace("sans", weight) for weight in weights),
        tuple(OpenCVFace("italic", weight) for weight in weights[1:]),
        (OpenCVFace("uni", 400),),
        (PillowFace(),),
        *pens,
    )


@cache
def plain_faces() -> tuple[Face, ...]:
    """Return upright sans-serif faces of regular weight, for words that are easy to read."""
    if not hasattr(cv2, "FontFace"):  # OpenCV 4
        return (PillowFace(), Pen(3.2))
    return OpenCVFace("sans", 400), OpenCVFace("sans", 500)


class Glyphs(dict[str, Glyph]):
    """The glyphs of a face by character, cropped to the columns with ink."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def __missing__(self, character: str) -> Glyph:
        canvas, advance = self._face.draw(character)
        left, _, width, _ = cv2.boundingRect(canvas)
        cut = np.ascontiguousarray(canvas[:, left : left + width])
        self[character] = Glyph(cut, left - ROWS, advance)
        return self[character]


@cache
def glyphs_of(face: Face) -> Glyphs:
    """Return the cached glyphs of a face."""
    return Glyphs(face)


def draw_word(face: Face, word: str, tracking: float, rises: Sequence[int]) -> Mask:
    """Return a mask of `word` drawn in a typeface, cropped to its ink.

    Args:
        face: The typeface.
        word: The word.
        tracking: Additional space between letters, in pixels.
        rises: The offset of each letter above the baseline, in pixels.
    """
    glyphs = [*map(glyphs_of(face).__getitem__, word)]
    width = sum(glyph.advance + tracking for glyph in glyphs)
    lowest, highest = min(rises), max(rises)
    canvas = np.zeros((ROWS + highest - lowest, round(width) + 2 * ROWS), np.uint8)
    pen = ROWS / 2
    for glyph, rise in zip(glyphs, rises, strict=True):
        column, row = round(pen) + glyph.left, highest - rise
        area = canvas[row : row + ROWS, column : column + glyph.mask.shape[1]]
        np.maximum(area, glyph.mask, out=area)
        pen += glyph.advance + tracking
    left, top, width, height = cv2.boundingRect(canvas)
    return canvas[top : top + height, left : left + width]


def _canvas() -> Mask:
    return np.zeros((ROWS, 3 * ROWS), np.uint8)
