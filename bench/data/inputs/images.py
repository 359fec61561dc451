"""Encoded images to pixels."""

from __future__ import annotations

import os
from typing import NamedTuple

MOST_PIXELS = 2**26
"""More than any line, page or frame has; what claims more is a fault or an attack."""

# OpenCV reads it when it is loaded, and holds it against a header before it makes room for pixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.data.raw.entries import SampleError  # noqa: E402

Encoded = bytes | memoryview
Pixels = NDArray[np.uint8]

# Its own threads would fight those of torch and of the loaders for the same cores.
cv2.setNumThreads(0)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def measured(encoded: Encoded) -> Size:
    """Return the size of an image, once it was decoded. Raises SampleError where it cannot be."""
    height, width = decoded(encoded, 1).shape
    return Size(width, height)


def decoded(encoded: Encoded, channels: int) -> Pixels:
    """Return pixels (H, W) of one channel, (H, W, 3) in the order red, green, blue of three.

    Raises SampleError where they cannot be decoded, or are more than `MOST_PIXELS`.
    """
    if not encoded:
        raise SampleError("an image of no bytes")
    # How a camera was held says nothing here: no other reader of these data sets turns them.
    mode = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR_RGB
    buffer = np.frombuffer(encoded, np.uint8)
    try:
        pixels = cv2.imdecode(buffer, mode | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise SampleError(f"an image that cannot be decoded (at most {MOST_PIXELS:,} pixels)")
    return np.asarray(pixels, np.uint8)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return `pixels` at another size: averaged where they shrink, else between its neighbours."""
    if pixels.shape[:2] == (height, width):
        return pixels
    out = np.empty((height, width, *pixels.shape[2:]), np.uint8)
    resize_into(pixels, out)
    return out


def resize_into(pixels: Pixels, out: Pixels) -> None:
    """Write `pixels` (H, W) or (H, W, 3) at the size of `out` (height, width, 1 or 3) into it."""
    rows, columns = pixels.shape[:2]
    height, width = out.shape[:2]
    if (rows, columns) == (height, width):
        out[:] = pixels.reshape(out.shape)
        return
    shrinks = rows >= height and columns >= width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # It writes into an array of the right size, if rows are contiguous, and ignores any other.
    cv2.resize(pixels, (width, height), out, interpolation=how)


def encoded_jpeg(pixels: Pixels, quality: int = 95) -> bytes:
    """Return pixels (H, W) or (H, W, 3), red first, as a JPEG."""
    return _encoded(pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def encoded_png(pixels: Pixels) -> bytes:
    """Return pixels (H, W) or (H, W, 3), red first, as a PNG."""
    return _encoded(pixels, ".png")


def _encoded(pixels: Pixels, suffix: str, *parameters: int) -> bytes:
    if pixels.ndim > 2:  # noqa: PLR2004 (a color axis)
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    done, content = cv2.imencode(suffix, pixels, parameters)
    if not done:
        raise SampleError("an image that cannot be encoded")
    return content.tobytes()
