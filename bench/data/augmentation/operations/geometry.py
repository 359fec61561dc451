"""Rotations, shears, translations and perspective as matrices, and images moved by them.

A matrix (3, 3) maps homogeneous coordinates (x, y, 1) of an image to those of the changed image.
The image covers [0, W] × [0, H], so that the center of its first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.data.augmentation.operations import Pixels

Matrix = NDArray[np.float64]
Interpolation = Literal["nearest", "linear"]

_METHODS: dict[Interpolation, int] = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
}
_BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
}
_FROM_CENTERS = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
_TO_CENTERS = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])


class Border(NamedTuple):
    """What is around an image: a color, or its own pixels.

    Attributes:
        kind: `constant`: pixels of `value`; `replicate`: the nearest pixel of the image; `reflect`:
            the image mirrored at its outermost pixels.
        value: Of `constant`, in each channel.
    """

    kind: Literal["constant", "replicate", "reflect"]
    value: tuple[float, ...] = ()


GRAY = Border("constant", (128, 128, 128))
REPLICATE, REFLECT = Border("replicate"), Border("reflect")


def edge_color(pixels: Pixels) -> Border:
    """Return the median of the outermost pixels, in each channel, as what is around an image."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Border("constant", tuple(np.atleast_1d(np.median(edges, 0)).tolist()))


def affine(a: float, b: float, c: float, d: float, e: float, f: float) -> Matrix:
    """Return the matrix of x' = a x + b y + c, y' = d x + e y + f."""
    return np.array([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])


def shear_x(factor: float) -> Matrix:
    """Return what moves rows to the right, by `factor` of their distance from the upper edge."""
    return affine(1, factor, 0, 0, 1, 0)


def shear_y(factor: float) -> Matrix:
    """Return what moves columns down, by `factor` of their distance from the left edge."""
    return affine(1, 0, 0, factor, 1, 0)


def translation(x: float, y: float) -> Matrix:
    """Return what moves an image by `x` pixels to the right and `y` pixels down."""
    return affine(1, 0, x, 0, 1, y)


def rotation(degrees: float) -> Matrix:
    """Return what turns an image counter-clockwise around its upper left corner."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return affine(cosine, sine, 0, -sine, cosine, 0)


def scaling(x: float, y: float) -> Matrix:
    """Return what scales columns by `x` and rows by `y`, away from the upper left corner."""
    return affine(x, 0, 0, 0, y, 0)


def centered(matrix: Matrix, pixels: Pixels) -> Matrix:
    """Return an affine `matrix` applied around the center of an image."""
    height, width = pixels.shape[:2]
    x, y = width / 2, height / 2
    moved = matrix.copy()
    moved[0, 2] += x - matrix[0, 0] * x - matrix[0, 1] * y
    moved[1, 2] += y - matrix[1, 0] * x - matrix[1, 1] * y
    return moved


def corners(pixels: Pixels) -> Matrix:
    """Return the corners of an image as columns (3, 4), clockwise from the upper left one."""
    height, width = pixels.shape[:2]
    return np.array([[0.0, width, width, 0.0], [0.0, 0.0, height, height], [1.0] * 4])


def perspective(pixels: Pixels, moved: Matrix) -> Matrix:
    """Return what maps the corners of an image to the columns of `moved` (2, 4)."""
    before, after = (np.array(each[:2].T, np.float32) for each in (corners(pixels), moved))
    return np.asarray(cv2.getPerspectiveTransform(before, after), np.float64)


def fitted(matrix: Matrix, pixels: Pixels) -> Matrix:
    """Return `matrix`, then the changed image stretched to the size of the image as it was.

    So the whole of it stays visible: a canvas that grows with its image and is then scaled back, in
    one step.
    """
    height, width = pixels.shape[:2]
    columns, rows, depths = (matrix @ corners(pixels)).tolist()
    xs = [x / depth for x, depth in zip(columns, depths, strict=True)]
    ys = [y / depth for y, depth in zip(rows, depths, strict=True)]
    x, y = width / (max(xs) - min(xs)), height / (max(ys) - min(ys))
    return np.asarray(affine(x, 0, -min(xs) * x, 0, y, -min(ys) * y) @ matrix, np.float64)


def warped(
    pixels: Pixels, matrix: Matrix, border: Border, interpolation: Interpolation = "linear"
) -> Pixels:
    """Return an image moved by `matrix`, on a canvas of the same size."""
    height, width = pixels.shape[:2]
    between_centers = _TO_CENTERS @ matrix @ _FROM_CENTERS
    method, mode, value = _METHODS[interpolation], _BORDERS[border.kind], border.value
    if min(height, width) == 1 and border.kind == "reflect":
        # Mirrored, a single row is itself; OpenCV 5.0 would look for it without an end.
        mode = cv2.BORDER_REPLICATE
    if matrix[2, 0] == matrix[2, 1] == 0:
        moved = cv2.warpAffine(
            pixels,
            between_centers[:2],
            (width, height),
            flags=method,
            borderMode=mode,
            borderValue=value,
        )
    else:
        moved = cv2.warpPerspective(
            pixels,
            between_centers,
            (width, height),
            flags=method,
            borderMode=mode,
            borderValue=value,
        )
    return np.asarray(moved, np.uint8)
