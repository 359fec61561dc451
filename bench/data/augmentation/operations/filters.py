"""Blur, loss of resolution, dilation and erosion; edge pixels are replicated beyond the image."""

from __future__ import annotations

import cv2
import numpy as np

from bench.data.augmentation.operations import Pixels


def gaussian_blurred(pixels: Pixels, deviation: float) -> Pixels:
    """Return an image blurred by a Gaussian of this standard deviation in pixels; 0 for no blur."""
    if not deviation:
        return pixels
    blurred = cv2.GaussianBlur(pixels, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint8)


def box_blurred(pixels: Pixels, side: int) -> Pixels:
    """Return the means over squares of `side` pixels."""
    blurred = cv2.blur(pixels, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint8)


def median_blurred(pixels: Pixels, side: int) -> Pixels:
    """Return the medians over squares of `side` pixels, an odd number."""
    return np.asarray(cv2.medianBlur(pixels, side), np.uint8)


def motion_blurred(pixels: Pixels, length: int, degrees: float) -> Pixels:
    """Return the means over lines of `length` pixels at an angle; length 1 for no blur."""
    if length <= 1:
        return pixels
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    middle = (length // 2, length // 2)
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D(middle, degrees, 1), (length, length))
    # A rotated line may leave the kernel in part; normalization keeps the brightness.
    kernel = turned / turned.sum()
    blurred = cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint8)


def coarsened(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return an image scaled down to a size and back; a smaller image is unchanged."""
    rows, columns = pixels.shape[:2]
    if width >= columns and height >= rows:
        return pixels
    size = (min(width, columns), min(height, rows))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    whole = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.uint8)


def dilated(pixels: Pixels, side: int) -> Pixels:
    """Return the maxima over squares of `side` pixels: bright parts grow."""
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.dilate(pixels, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)


def eroded(pixels: Pixels, side: int) -> Pixels:
    """Return the minima over squares of `side` pixels: dark parts grow."""
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.erode(pixels, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)
