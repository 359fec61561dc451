"""Grid distortion and elastic distortion."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.data.augmentation.operations import Pixels

Field = NDArray[np.float32]


def grid_distorted(pixels: Pixels, columns: Sequence[float], rows: Sequence[float]) -> Pixels:
    """Return an image whose grid cells are stretched or compressed; its edges stay in place.

    Args:
        pixels: The image.
        columns: The relative width of each column of the grid, above 0.
        rows: The relative height of each row of the grid, above 0.
    """
    height, width = pixels.shape[:2]
    x, y = _sources(columns, width), _sources(rows, height)
    return _remapped(pixels, np.tile(x, (height, 1)), np.repeat(y[:, None], width, 1))


def _sources(sizes: Sequence[float], length: int) -> Field:
    """Return the source coordinate of each pixel along an axis."""
    ends = np.concatenate([[0.0], np.cumsum(sizes)])
    moved = ends / ends[-1] * length
    even = np.linspace(0, length, len(ends))
    return np.asarray(np.interp(np.arange(length) + 0.5, moved, even) - 0.5, np.float32)


def elastically_distorted(pixels: Pixels, horizontal: Field, vertical: Field) -> Pixels:
    """Return an image whose pixels are displaced by a smooth field.

    Args:
        pixels: The image.
        horizontal: Offsets to the right of the source of each pixel, in pixels, on a coarse grid
            that is interpolated cubically.
        vertical: Offsets downward, on a grid of the same size.
    """
    height, width = pixels.shape[:2]
    x, y = (
        np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
        for field in (horizontal, vertical)
    )
    x += np.arange(width, dtype=np.float32)
    y += np.arange(height, dtype=np.float32)[:, None]
    return _remapped(pixels, x, y)


def _remapped(pixels: Pixels, x: Field, y: Field) -> Pixels:
    """Return the pixels at `x` and `y`, interpolated linearly; edges are replicated."""
    moved = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
