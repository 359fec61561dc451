"""Images for tests of augmentations."""

from __future__ import annotations

import cv2
import numpy as np


def image(shape=(32, 100, 3), seed=0):
    """Return a smooth image of every brightness, like a photograph."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 2)
    return cv2.normalize(blurred, None, 5, 250, cv2.NORM_MINMAX)


SHAPES = [(32, 100), (32, 100, 3), (31, 8), (7, 129, 3), (1, 1), (2, 3, 3)]
