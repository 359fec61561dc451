"""The skeletons of 79 characters: paths of a pen without a width.

In units: the baseline is at y = 0, lower-case letters are 10 high, capitals and digits 15,
ascenders 16; descenders reach down to -6. y points upwards, x starts at the left edge of the glyph.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

X_HEIGHT, CAPITALS, ASCENDERS = 10, 15, 16
STEPS = 6
"""The number of points of a curve per pair of its control points."""

# Strokes are separated by semicolons. A stroke that begins with ~ is a curve through its points,
# which is closed if the first and the last point are equal; other strokes are straight lines.
_STROKES = {
    "0": "~5,15 1,11 1,4 5,0 9,4 9,11 5,15",
    "1": "1,12 4,15 4,0",
    "2": "~1,12 2,14 5,15 8,14 9,11 6,6 1,0; 1,0 9,0",
    "3": "~1,13 5,15 8,12 7,9 4,8; ~4,8 8,7 9,4 5,0 1,2",
    "4": "7,0 7,15 1,4 10,4",
    "5": "8,15 2,15 2,8; ~2,8 5,10 8,8 9,4 7,1 4,0 1,2",
    "6": "~8,14 4,12 1,6 2,1 5,0 8,2 9,5 7,8 4,8 1,5",
    "7": "1,15 9,15 4,0",
    "8": "~5,8 2,10 2,13 5,15 8,13 8,10 5,8 1,6 1,2 5,0 9,2 9,6 5,8",
    "9": "~9,11 7,7 4,7 1,10 2,14 5,15 8,14 9,11 8,4 5,0",
    "A": "0,0 6,15 12,0; 2,5 10,5",
    "B": "1,0 1,15; ~1,15 6,15 9,13 9,10 6,8 1,8; ~1,8 7,8 10,6 10,2 7,0 1,0",
    "C": "~10,12 6,15 2,12 1,7 2,3 6,0 10,3",
    "D": "1,0 1,15; ~1,15 5,15 9,13 11,8 9,2 5,0 1,0",
    "E": "9,15 1,15 1,0 9,0; 1,8 7,8",
    "F": "9,15 1,15 1,0; 1,8 7,8",
    "G": "~10,12 6,15 2,12 1,7 2,3 6,0 10,2; 10,0 10,7 6,7",
    "H": "1,0 1,15; 10,0 10,15; 1,8 10,8",
    "I": "1,0 1,15",
    "J": "~6,15 6,8 6,3 3,0 0,3",
    "K": "1,0 1,15; 9,15 1,6; 4,9 10,0",
    "L": "1,15 1,0 8,0",
    "M": "1,0 1,15 7,3 13,15 13,0",
    "N": "1,0 1,15 10,0 10,15",
    "O": "~6,15 2,13 0,8 2,2 6,0 10,2 12,8 10,13 6,15",
    "P": "1,0 1,15; ~1,15 6,15 9,13 9,9 6,7 1,7",
    "Q": "~6,15 2,13 0,8 2,2 6,0 10,2 12,8 10,13 6,15; 8,4 12,-2",
    "R": "1,0 1,15; ~1,15 6,15 9,13 9,9 6,7 1,7; 5,7 10,0",
    "S": "~9,13 5,15 2,13 2,10 5,8 8,6 9,3 7,0 4,0 1,2",
    "T": "0,15 10,15; 5,15 5,0",
    "U": "~1,15 1,9 1,4 4,0 7,0 10,4 10,9 10,15",
    "V": "0,15 5,0 10,15",
    "W": "0,15 4,0 8,13 12,0 16,15",
    "X": "1,15 10,0; 10,15 1,0",
    "Y": "0,15 5,7 10,15; 5,7 5,0",
    "Z": "1,15 9,15 1,0 10,0",
    "a": "~8,8 5,10 2,9 0,5 2,1 4,0 7,2 8,5; ~8,10 8,6 8,2 10,0",
    "b": "1,16 1,0; ~1,6 3,9 6,10 9,7 9,3 6,0 3,0 1,3",
    "c": "~8,8 5,10 2,9 0,5 2,1 5,0 8,2",
    "d": "~8,7 5,10 2,9 0,5 2,1 5,0 8,3; 8,16 8,0",
    "e": "~0,5 4,5 8,6 7,9 4,10 1,8 0,5 2,1 5,0 8,2",
    "f": "~7,15 5,16 3,14 3,10 3,0; 0,10 6,10",
    "g": "~8,7 5,10 2,9 0,6 2,2 5,1 8,4; ~8,10 8,2 8,-3 5,-6 1,-5",
    "h": "1,16 1,0; ~1,6 4,10 7,9 8,6 8,0",
    "i": "1,10 1,0; 1,14 1,15",
    "j": "~3,10 3,0 3,-4 1,-6 -1,-5; 3,14 3,15",
    "k": "1,16 1,0; 7,10 1,4; 3,6 8,0",
    "l": "1,16 1,0",
    "m": "1,10 1,0; ~1,6 3,9 5,10 7,8 7,0; ~7,6 9,9 11,10 13,8 13,0",
    "n": "1,10 1,0; ~1,6 4,10 7,9 8,6 8,0",
    "o": "~5,10 1,8 0,5 1,2 5,0 8,2 9,5 8,8 5,10",
    "p": "1,10 1,-6; ~1,6 3,9 6,10 9,7 9,3 6,0 3,0 1,3",
    "q": "~8,7 5,10 2,9 0,5 2,1 5,0 8,3; 8,10 8,-6",
    "r": "1,10 1,0; ~1,6 3,9 6,10",
    "s": "~7,8 4,10 1,8 2,6 4,5 7,4 8,2 4,0 1,2",
    "t": "~3,14 3,6 3,2 5,0 7,1; 0,10 6,10",
    "u": "~1,10 1,5 1,2 4,0 7,2 8,5; 8,10 8,0",
    "v": "0,10 4,0 8,10",
    "w": "0,10 3,0 6,9 9,0 12,10",
    "x": "0,10 8,0; 8,10 0,0",
    "y": "0,10 4,1; 8,10 2,-6",
    "z": "0,10 7,10 0,0 8,0",
    " ": "",
    "!": "1,15 1,5; 1,0 1,1",
    '"': "1,16 1,11; 4,16 4,11",
    "#": "3,0 5,15; 7,0 9,15; 1,5 11,5; 2,10 12,10",
    "&": "~11,0 6,6 3,11 5,15 8,13 6,9 2,6 1,3 4,0 8,2 11,7",
    "'": "1,16 1,11",
    "(": "~4,17 1,11 1,4 4,-3",
    ")": "~0,17 3,11 3,4 0,-3",
    "*": "4,15 4,9; 1,14 7,10; 7,14 1,10",
    "+": "0,6 8,6; 4,10 4,2",
    ",": "~1,1 1,0 0,-3",
    "-": "0,6 5,6",
    ".": "1,0 1,1",
    "/": "0,-2 7,16",
    ":": "1,8 1,9; 1,0 1,1",
    ";": "1,8 1,9; ~1,1 1,0 0,-3",
    "?": "~1,12 4,15 8,13 8,10 5,7 4,4; 4,0 4,1",
}
_PRINTED_A = "~1,8 4,10 7,9 8,6 8,0; ~8,6 4,6 1,4 1,1 4,0 8,3"
CHARACTERS = frozenset(_STROKES)


class Stroke(NamedTuple):
    """The points (P, 2) of a stroke, connected by a curve or by straight lines."""

    points: NDArray[np.float32]
    curved: bool

    def path(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the path (Q, 2) through `points` (P, 2), the moved points of this stroke."""
        if not self.curved:
            return points
        closed = bool((self.points[0] == self.points[-1]).all())
        path: NDArray[np.float32] = _curve(len(points), closed=closed) @ points
        return path


class Skeleton(NamedTuple):
    """The strokes of a character in the order of writing, and its width."""

    strokes: tuple[Stroke, ...]
    width: float


@cache
def skeleton(character: str, *, printed: bool = False) -> Skeleton:
    """Return the skeleton of `character`; `printed` selects the double-story a."""
    notation = _PRINTED_A if printed and character == "a" else _STROKES[character]
    if not notation:
        return Skeleton((), X_HEIGHT / 2)
    strokes = tuple(_stroke(part.strip()) for part in notation.split(";"))
    return Skeleton(strokes, max(float(stroke.points[:, 0].max()) for stroke in strokes))


def _stroke(notation: str) -> Stroke:
    points = [point.split(",") for point in notation.removeprefix("~").split()]
    return Stroke(np.asarray(points, np.float32), curved=notation.startswith("~"))


@cache
def _curve(count: int, *, closed: bool) -> NDArray[np.float32]:
    """Return weights (Q, P) of a Catmull-Rom spline through P points, `STEPS` per segment."""
    ring = np.eye(count, dtype=np.float32)
    around = [ring[-2], *ring, ring[1]] if closed else [ring[0], *ring, ring[-1]]
    before, start, end, after = (
        np.stack(around)[shift : shift + count - 1, None] for shift in range(4)
    )
    t = np.linspace(0, 1, STEPS, endpoint=False, dtype=np.float32)[None, :, None]
    bend = 2 * before - 5 * start + 4 * end - after
    twist = 3 * start - before - 3 * end + after
    inner = start + ((end - before) * t + bend * t**2 + twist * t**3) / 2
    weights: NDArray[np.float32] = np.concatenate([inner.reshape(-1, count), ring[-1:]])
    return weights
