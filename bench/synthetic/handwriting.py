"""Lines of handwriting: skeletons of characters, drawn in the handwriting of one writer per page.

A handwriting has a size, a slant, a pen width, and a way of connecting letters. Letters vary: the
points of each stroke are moved at random, and the whole line is bent by a slow wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.synthetic.randomness import happens
from bench.synthetic.skeletons import X_HEIGHT, skeleton
from bench.synthetic.vocabulary import Token

Curve = NDArray[np.float32]
_SUPERSAMPLING, _SHIFT = 2, 3
_MAX_PRESSURE = 1.25
"""The largest factor of the width of a stroke."""
_MAX_EXIT_HEIGHT = 4
"""The height in units below which the end of a stroke may be connected to the next letter."""
_JOINABLE = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Hand:
    """The handwriting of one writer.

    Attributes:
        unit: Pixels per unit of the skeletons.
        wide: The factor of the width of letters.
        slant: The shift to the right per unit of height.
        gap: The distance between letters in units.
        space: The width of a space in units.
        point: The width of the pen in pixels.
        wobble: The standard deviation of the points of strokes in units.
        joined: The share of lower-case letters that are connected to the next.
        printed: Whether the letter a has its printed form.
        ink: The gray level of ink.
        paper: The gray level of paper.
    """

    unit: float
    wide: float
    slant: float
    gap: float
    space: float
    point: float
    wobble: float
    joined: float
    printed: bool
    ink: float
    paper: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Hand:
        """Return the handwriting of a new writer."""
        joined = float(rng.uniform(0.6, 1)) if happens(rng, 0.6) else 0.0
        return cls(
            unit=float(rng.uniform(2.2, 4.2)),
            wide=float(rng.uniform(0.75, 1.1)),
            slant=float(rng.uniform(-0.12, 0.5)),
            gap=float(rng.uniform(2, 3.5)) if joined else float(rng.uniform(1.5, 3.5)),
            space=float(rng.uniform(8, 14)),
            point=float(rng.uniform(2.2, 4.8)),
            wobble=float(rng.uniform(0.25, 0.55)),
            joined=joined,
            printed=happens(rng, 0.3) and not joined,
            ink=float(rng.uniform(10, 80)),
            paper=int(rng.integers(235, 256)),
        )


class Box(NamedTuple):
    """A rectangle of pixels."""

    x: int
    y: int
    width: int
    height: int


class Line(NamedTuple):
    """A written line: its image (H, W), cropped to the ink, and the box of each token."""

    image: NDArray[np.uint8]
    boxes: tuple[Box, ...]


def line_length(tokens: Sequence[Token], hand: Hand) -> float:
    """Return the approximate length of `tokens` in pixels."""
    spaces = sum(not token.glued for token in tokens)
    letters = [skeleton(character) for token in tokens for character in token.text]
    widths = sum(shape.width * hand.wide + hand.gap for shape in letters)
    return hand.unit * (widths + spaces * hand.space)


def write_line(tokens: Sequence[Token], hand: Hand, rng: np.random.Generator) -> Line:
    """Return `tokens` written by `hand`."""
    words = _words(tokens, hand, rng)
    paths = _on_paper([path for word in words for path in word], hand, rng)
    reach = hand.point * _MAX_PRESSURE / 2 + 1
    spans = np.array([[*path.min(0) - reach, *path.max(0) + reach] for path in paths])
    firsts = np.cumsum([0, *map(len, words)])[:-1]
    starts = np.floor(np.minimum.reduceat(spans[:, :2], firsts))
    ends = np.ceil(np.maximum.reduceat(spans[:, 2:], firsts))
    corner = starts.min(0)
    edges = np.hstack([starts - corner, ends - starts]).astype(int)
    width, height = (ends.max(0) - corner).astype(int).tolist()
    moved = [path - corner.astype(np.float32) for path in paths]
    boxes = tuple(Box(*edge) for edge in edges.tolist())
    return Line(_inked(moved, (height, width), hand, rng), boxes)


def _words(tokens: Sequence[Token], hand: Hand, rng: np.random.Generator) -> list[list[Curve]]:
    """Return the strokes of each token in units, before the slant."""
    words, pen = [], 0.0
    for token in tokens:
        if not token.glued:
            pen += hand.space * float(rng.uniform(0.75, 1.25))
        word: list[Curve] = []
        leaving: Curve | None = None
        for character in token.text:
            letter, width = _letter(character, pen, hand, rng)
            if leaving is not None and character in _JOINABLE:
                word.append(_connection(leaving, _entry(letter[0])))
            word += letter
            joins = character in _JOINABLE and happens(rng, hand.joined)
            leaving = _exit(letter, pen + width / 2) if joins else None
            pen += width + hand.gap * float(rng.uniform(0.7, 1.3))
        words.append(word)
    return words


def _letter(
    character: str, pen: float, hand: Hand, rng: np.random.Generator
) -> tuple[list[Curve], float]:
    """Return the strokes of a letter at `pen` in units before the slant, and its width."""
    shape = skeleton(character, printed=hand.printed)
    size = float(rng.normal(1, 0.05))
    scale = np.array([hand.wide * size * rng.normal(1, 0.06), size], np.float32)
    shift = np.array([pen, rng.normal(0, 0.3)], np.float32)
    paths = []
    for stroke in shape.strokes:
        moved = stroke.points + hand.wobble * rng.standard_normal(stroke.points.shape, np.float32)
        paths.append(stroke.path(moved) * scale + shift)
    return paths, shape.width * float(scale[0])


def _exit(letter: Sequence[Curve], middle: float) -> Curve | None:
    """Return the start of a connection: the rightmost stroke end near the baseline, or None."""
    ends = [
        path[-1] for path in letter if path[-1, 0] > middle and -1 < path[-1, 1] < _MAX_EXIT_HEIGHT
    ]
    return max(ends, key=lambda end: float(end[0])) if ends else None


def _entry(first: Curve) -> Curve:
    """Return the end of a connection: the leftmost point of the first stroke of a letter."""
    near = first[(first[:, 1] > _MAX_EXIT_HEIGHT - 1) & (first[:, 1] < X_HEIGHT + 1)]
    point: Curve = near[near[:, 0].argmin()] if len(near) else first[0]
    return point


def _connection(start: Curve, end: Curve) -> Curve:
    """Return the curve that connects two letters, along the baseline and up."""
    t = np.linspace(0, 1, 7, dtype=np.float32)[:, None]
    low = np.array([0.4 * start[0] + 0.6 * end[0], min(start[1], end[1]) - 0.8], np.float32)
    curve: Curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * low + t**2 * end
    return curve


def _on_paper(paths: Sequence[Curve], hand: Hand, rng: np.random.Generator) -> list[Curve]:
    """Return the strokes in pixels, y downwards: slanted and bent by a wave."""
    x, y = np.concatenate(paths).T * np.float32(hand.unit)
    x, y = x + hand.slant * y, -y
    (long, short), phases = rng.uniform((400, 50), (1200, 120)), rng.uniform(0, 2 * np.pi, 3)
    wave, pull = rng.uniform(0, 5), rng.uniform(0, 1.5)
    down = rng.normal(0, 0.006) * x + wave * np.sin(2 * np.pi * x / long + phases[0])
    down += pull * np.sin(2 * np.pi * x / short + phases[1])
    across = pull * np.sin(2 * np.pi * (x / short + y / 40) + phases[2])
    bent = np.stack([x + across, y + down], 1).astype(np.float32)
    return np.split(bent, np.cumsum([len(path) for path in paths])[:-1])


def _inked(
    paths: Sequence[Curve], shape: tuple[int, int], hand: Hand, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the image (H, W) of the strokes with uneven ink on even paper."""
    rows, columns = shape
    canvas = np.zeros((rows * _SUPERSAMPLING, columns * _SUPERSAMPLING), np.uint8)
    for path in paths:
        line = np.rint(path * (_SUPERSAMPLING * 2**_SHIFT)).astype(np.int32)
        width = max(1, round(hand.point * _SUPERSAMPLING * float(rng.uniform(0.75, _MAX_PRESSURE))))
        cv2.polylines(canvas, [line], isClosed=False, color=(255,), thickness=width, shift=_SHIFT)
    alpha = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur(alpha, (3, 3), 0.6)
    cells = rng.uniform(0.7, 1, (rows // 8 + 1, columns // 8 + 1)).astype(np.float32)
    flow = cv2.resize(cells, (columns, rows))
    image = hand.paper - alpha * flow * ((hand.paper - hand.ink) / 255)
    return np.asarray(np.rint(image), np.uint8)
