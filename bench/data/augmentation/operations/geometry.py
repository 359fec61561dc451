"""Rotations, shears, translations and perspectives as matrices, and images warped by them.

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
    """The pixels beyond the edges of an image.

    Attributes:
        kind: `constant` for `value`, `replicate` for the nearest pixel of the image, `reflect` for
            the image mirrored at its outermost pixels.
        value: The value of `constant` in each channel.
    """

    kind: Literal["constant", "replicate", "reflect"]
    value: tuple[float, ...] = ()


GRAY = Border("constant", (128, 128, 128))
REPLICATE, REFLECT = Border("replicate"), Border("reflect")


def edge_color(pixels: Pixels) -> Border:
    """Return a constant border of the median of the outermost pixels in each channel."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Border("constant", tuple(np.atleast_1d(np.median(edges, 0)).tolist()))


def affine(a: float, b: float, c: float, d: float, e: float, f: float) -> Matrix:
    """Return the matrix of x' = a x + b y + c, y' = d x + e y + f."""
    return np.array([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])


def shear_x(factor: float) -> Matrix:
    """Return the shear that moves rows right by `factor` of their distance to the upper edge."""
    return affine(1, factor, 0, 0, 1, 0)


def shear_y(factor: float) -> Matrix:
    """Return the shear that moves columns down by `factor` of their distance to the left edge."""
    return affine(1, 0, 0, factor, 1, 0)


def translation(x: float, y: float) -> Matrix:
    """Return the translation by `x` pixels to the right and `y` pixels down."""
    return affine(1, 0, x, 0, 1, y)


def rotation(degrees: float) -> Matrix:
    """Return the counter-clockwise rotation around the upper left corner."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return affine(cosine, sine, 0, -sine, cosine, 0)


def scaling(x: float, y: float) -> Matrix:
    """Return the scaling of columns by `x` and of rows by `y` from the upper left corner."""
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
    """Return the perspective that maps the corners of an image to the columns of `moved` (2, 4)."""
    before, after = (np.array(points[:2].T, np.float32) for points in (corners(pixels), moved))
    return np.asarray(cv2.getPerspectiveTransform(before, after), np.float64)


def fitted(matrix: Matrix, pixels: Pixels) -> Matrix:
    """Return `matrix` followed by a stretch of the result to the original size.

    So the whole image stays visible, as on a canvas that grows and is then scaled back.
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
    """Return an image transformed by `matrix`, on a canvas of the same size."""
    height, width = pixels.shape[:2]
    between_centers = _TO_CENTERS @ matrix @ _FROM_CENTERS
    method, mode, value = _METHODS[interpolation], _BORDERS[border.kind], border.value
    if min(height, width) == 1 and border.kind == "reflect":
        # A single row mirrored is itself; OpenCV 5.0 would loop forever.
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
