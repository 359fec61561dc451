"""Changes of brightness, contrast and color."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.data.augmentation.operations import Pixels

Table = NDArray[np.uint8]
_LEVELS = np.arange(256)
_COLOR = 3


def map_values(pixels: Pixels, table: Table) -> Pixels:
    """Return an image with values mapped by a table (256,), or (256, 3) with one per channel."""
    return np.asarray(cv2.LUT(pixels, table.reshape(1, 256, -1)), np.uint8)


def inverted(pixels: Pixels) -> Pixels:
    """Return the negative of an image."""
    return np.asarray(cv2.bitwise_not(pixels), np.uint8)


def autocontrast(pixels: Pixels) -> Pixels:
    """Return each channel stretched to 0 … 255; a channel of a single value is unchanged."""
    ends = [cv2.minMaxLoc(channel)[:2] for channel in cv2.split(pixels)]
    low, high = np.array(ends).T
    scale = 255 / np.maximum(high - low, 1)
    stretched = np.clip(_LEVELS[:, None] * scale - low * scale, 0, 255).astype(np.uint8)
    return map_values(pixels, np.where(high > low, stretched, _LEVELS[:, None]).astype(np.uint8))


def equalized(pixels: Pixels) -> Pixels:
    """Return each channel with an equalized histogram, as in Pillow.

    A channel of a single value or of fewer than 256 pixels is unchanged.
    """
    channels = [np.asarray(channel).ravel() for channel in cv2.split(pixels)]
    counts = np.stack([np.bincount(channel, minlength=256) for channel in channels], -1)
    below = counts.cumsum(0) - counts
    # The number of pixels below the highest value, in 255 steps.
    step = np.where(counts > 0, below, 0).max(0) // 255
    equal = np.minimum((below + step // 2) // np.maximum(step, 1), 255)
    return map_values(pixels, np.where(step > 0, equal, _LEVELS[:, None]).astype(np.uint8))


def posterized(pixels: Pixels, bits: int) -> Pixels:
    """Return an image with all but the highest `bits` of each value set to 0."""
    return np.asarray(pixels & np.uint8(256 - (1 << (8 - bits))), np.uint8)


def solarized(pixels: Pixels, threshold: int) -> Pixels:
    """Return an image with all values from `threshold` on inverted."""
    return map_values(
        pixels, np.where(threshold > _LEVELS, _LEVELS, 255 - _LEVELS).astype(np.uint8)
    )


def dark_raised(pixels: Pixels, amount: int, threshold: int = 128) -> Pixels:
    """Return an image with all values below `threshold` raised by `amount`."""
    raised = np.minimum(_LEVELS + amount, 255)
    return map_values(pixels, np.where(threshold > _LEVELS, raised, _LEVELS).astype(np.uint8))


def scaled_values(pixels: Pixels, factor: float, offset: float = 0.0) -> Pixels:
    """Return `factor` · value + `offset`, rounded and clipped to 0 … 255."""
    return np.asarray(cv2.addWeighted(pixels, factor, pixels, 0.0, offset), np.uint8)


def contrasted(pixels: Pixels, factor: float) -> Pixels:
    """Return an image with distances to its mean gray value multiplied by `factor`."""
    return scaled_values(pixels, factor, (1 - factor) * int(gray(pixels).mean() + 0.5))


def saturated(pixels: Pixels, factor: float) -> Pixels:
    """Return an image with distances to its gray values multiplied by `factor`."""
    if pixels.ndim < _COLOR:
        return pixels
    plain = cv2.cvtColor(gray(pixels), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(pixels, factor, plain, 1 - factor, 0.0), np.uint8)


def gray(pixels: Pixels) -> Pixels:
    """Return the gray values (H, W) of an image."""
    if pixels.ndim < _COLOR:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def shifted_hsv(pixels: Pixels, hue: float, saturation: float = 0.0, value: float = 0.0) -> Pixels:
    """Return an image with shifted hue, saturation and value.

    Args:
        pixels: The image. A gray one has neither hue nor saturation.
        hue: Added to the hue, in turns.
        saturation: Added to the saturation, in 1/255.
        value: Added to the value, in 1/255.
    """
    raised = np.clip(np.rint(_LEVELS + value), 0, 255).astype(np.uint8)
    if pixels.ndim < _COLOR:
        return map_values(pixels, raised)
    turned = ((_LEVELS + round(256 * hue)) % 256).astype(np.uint8)
    richer = np.clip(np.rint(_LEVELS + saturation), 0, 255).astype(np.uint8)
    converted = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL), np.uint8)
    changed = map_values(converted, np.stack([turned, richer, raised], -1))
    return np.asarray(cv2.cvtColor(changed, cv2.COLOR_HSV2RGB_FULL), np.uint8)


def gamma_corrected(pixels: Pixels, gamma: float) -> Pixels:
    """Return an image with each value v in 0 … 1 raised to `gamma`."""
    return map_values(pixels, np.rint(255 * (_LEVELS / 255) ** gamma).astype(np.uint8))
