"""Faces to set words in, without a font file of our own: glyphs as masks, drawn once each.

OpenCV 5 carries the variable typefaces Rubik and Rubik Italic and one of Chinese with plain Latin
letters, Pillow carries Aileron. All are sans-serif, so `Pen` draws skeletons with nibs and serifs.
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
"""A glyph's height in pixels, and the row its baseline is at; capitals have 27."""
_SIZE = 38.0
_UNIT = 27 / CAPITALS
_FINER = 4
_ENDS = (0, X_HEIGHT, CAPITALS, ASCENDERS)

Mask = NDArray[np.uint8]


class Glyph(NamedTuple):
    """A mask (ROWS, W) of 0…255; it stands `left` pixels from the pen, which moves on `advance`."""

    mask: Mask
    left: int
    advance: float


class Face(ABC):
    """A typeface; equal ones draw equal glyphs."""

    @abstractmethod
    def draw(self, character: str) -> tuple[Mask, float]:
        """Return a canvas (ROWS, W) with `character` written from column ROWS, and its advance."""


@dataclass(frozen=True)
class OpenCVFace(Face):
    """A typeface within OpenCV 5, by name, in a weight of 300 (light) to 900 (black)."""

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
    """The typeface within Pillow."""

    def draw(self, character: str) -> tuple[Mask, float]:
        """Return the canvas and the advance."""
        font = ImageFont.load_default(_SIZE)
        image = Image.fromarray(_canvas())
        ImageDraw.Draw(image).text((ROWS, BASELINE), character, 255, font, anchor="ls")
        return np.asarray(image), font.getlength(character)


@dataclass(frozen=True)
class Pen(Face):
    """Skeletons drawn with a round point `point` pixels wide.

    A broad nib adds `nib` pixels to what goes down and little to what goes across; ends of stems
    get serifs that are `serif` pixels long to each side.
    """

    point: float
    nib: float = 0.0
    serif: float = 0.0

    def draw(self, character: str) -> tuple[Mask, float]:
        """Return the canvas and the advance."""
        shape = skeleton(character, printed=True)
        canvas = np.zeros((ROWS * _FINER, 3 * ROWS * _FINER), np.uint8)
        scale = np.array([_UNIT, -_UNIT], np.float32) * _FINER
        origin = np.array([ROWS + self.nib / 2, BASELINE], np.float32) * _FINER
        for stroke in shape.strokes:
            path = stroke.path(stroke.points)
            self._trace(canvas, path * scale + origin)
            if self.serif and np.ptp(path[:, 1]) > 1:
                for end, inner in ((path[0], path[1]), (path[-1], path[-2])):
                    self._finish(canvas, end, inner, scale, origin)
        drawn = cv2.resize(canvas, (3 * ROWS, ROWS), interpolation=cv2.INTER_AREA)
        return np.asarray(drawn, np.uint8), shape.width * _UNIT + self.nib + self.serif / 2 + 6

    def _trace(self, canvas: Mask, path: NDArray[np.float32]) -> None:
        line = np.rint(path).astype(np.int32)
        self._draw_line(canvas, line)
        half = np.rint(np.array([self.nib / 2, -self.nib / 8]) * _FINER).astype(np.int32)
        for here, there in pairwise(line):
            corners = np.stack([here - half, here + half, there + half, there - half])
            cv2.fillConvexPoly(canvas, cv2.convexHull(corners), (255,))

    def _draw_line(self, canvas: Mask, line: NDArray[np.int32]) -> None:
        width = max(1, round(self.point * _FINER))
        cv2.polylines(canvas, [line], isClosed=False, color=(255,), thickness=width)

    def _finish(
        self,
        canvas: Mask,
        end: NDArray[np.float32],
        inner: NDArray[np.float32],
        scale: NDArray[np.float32],
        origin: NDArray[np.float32],
    ) -> None:
        across, up = np.abs(inner - end)
        if end[1] not in _ENDS or across > up:
            return
        reach = np.array([_FINER * (self.serif + self.nib / 2), 0], np.float32)
        center = end * scale + origin
        line = np.rint(np.stack([center - reach, center + reach])).astype(np.int32)
        self._draw_line(canvas, line)


@cache
def families() -> tuple[tuple[Face, ...], ...]:
    """Return the faces there are, those of one design together."""
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
    """Return upright faces of usual weight without serifs, for words that are easy to read."""
    if not hasattr(cv2, "FontFace"):  # OpenCV 4
        return (PillowFace(), Pen(3.2))
    return OpenCVFace("sans", 400), OpenCVFace("sans", 500)


class Glyphs(dict[str, Glyph]):
    """The glyphs of a face by their characters, cut to the columns that have ink."""

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
    """Return the glyphs of a face, the same ones each time."""
    return Glyphs(face)


def set_word(face: Face, word: str, tracking: float, rises: Sequence[int]) -> Mask:
    """Return a mask of `word`, cut to its ink, with `tracking` pixels more between letters.

    Letter n stands `rises[n]` pixels above the baseline.
    """
    glyphs = [*map(glyphs_of(face).__getitem__, word)]
    width = sum(each.advance + tracking for each in glyphs)
    lowest, highest = min(rises), max(rises)
    canvas = np.zeros((ROWS + highest - lowest, round(width) + 2 * ROWS), np.uint8)
    pen = ROWS / 2
    for each, rise in zip(glyphs, rises, strict=True):
        column, row = round(pen) + each.left, highest - rise
        area = canvas[row : row + ROWS, column : column + each.mask.shape[1]]
        np.maximum(area, each.mask, out=area)
        pen += each.advance + tracking
    left, top, width, height = cv2.boundingRect(canvas)
    return canvas[top : top + height, left : left + width]


def _canvas() -> Mask:
    return np.zeros((ROWS, 3 * ROWS), np.uint8)
