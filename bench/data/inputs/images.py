"""Decoding, scaling and encoding of images."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

MAX_PIXELS = 2**26
"""The largest image that is decoded; a larger one is damaged or an attack."""

# OpenCV reads this limit when it is loaded, and checks headers before it allocates memory.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.data.raw.entries import SampleError  # noqa: E402

Encoded = bytes | memoryview
Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_HEADER_BYTES = 2**14
"""The first bytes of an image, which have the format and, after color profiles, transparency."""
_DEPTHS = (8, 10, 12, 14, 16)
"""Bits per value of scanners and cameras."""

# Threads of OpenCV would compete with those of torch and of the workers for the same cores.
cv2.setNumThreads(0)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def image_size(encoded: Encoded) -> Size:
    """Decode an image and return its size. Raises SampleError if it cannot be decoded."""
    height, width = decode_image(encoded, 1).shape
    return Size(width, height)


def decode_image(encoded: Encoded, channels: int) -> Pixels:
    """Return the pixels of an encoded image.

    Transparent images are composed on white. Images of 16 bits that use a smaller range, such as 0
    to 255, are scaled by the smallest of 8, 10, 12, 14 and 16 bits that contains their values.

    Args:
        encoded: The file content, such as JPEG or PNG.
        channels: 1 for gray (H, W), 3 for RGB (H, W, 3).

    Raises:
        SampleError: The image cannot be decoded, or has more than `MAX_PIXELS`.
    """
    if not encoded:
        raise SampleError("an empty image file")
    # The orientation tag of a camera is ignored, as by all other readers of these data sets.
    mode = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR_RGB
    buffer = np.frombuffer(encoded, np.uint8)
    pixels: Array | None = None
    try:
        if _may_have_alpha_or_16_bits(bytes(encoded[:_HEADER_BYTES])):
            pixels = _composed(cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED), channels)
        if pixels is None:
            pixels = cv2.imdecode(buffer, mode | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise SampleError(f"an image that cannot be decoded (at most {MAX_PIXELS:,} pixels)")
    return np.asarray(pixels, np.uint8)


def _may_have_alpha_or_16_bits(head: bytes) -> bool:
    """Return whether an image with these first bytes may have transparency or 16 bits.

    False for JPEG and most PNG files; True for others, which have to be decoded to know.
    """
    if head.startswith(b"\xff\xd8"):
        return False
    if head.startswith(b"\x89PNG"):
        depth, kind = head[24:25], head[25:26]
        # The chunk of a transparent color comes before the pixels.
        keyed = head.find(b"tRNS", 0, head.find(b"IDAT")) > 0
        return depth == b"\x10" or kind not in {b"\0", b"\2"} or keyed
    return True


def _composed(whole: Array | None, channels: int) -> Pixels | None:
    """Return 8-bit pixels on white, None if an image has no transparency and no 16 bits."""
    if whole is None or whole.dtype not in (np.uint8, np.uint16):
        return None
    max_value = np.iinfo(whole.dtype).max
    depth, transparent = 8, False
    alpha = cv2.extractChannel(whole, 3) if whole.shape[2:] == (4,) else None
    if alpha is not None:
        # An alpha channel that is 0 everywhere is unused; the image would be empty.
        transparent = bool(alpha.min() < max_value and alpha.max() > 0)
    colors = whole[..., :3] if alpha is not None else whole
    if whole.dtype == np.uint16:
        depth = next(bits for bits in _DEPTHS if colors.max() < 2**bits)
    if not transparent and depth == max_value.bit_length():
        return None
    values = (colors >> (depth - 8)).astype(np.uint8)
    if alpha is not None and transparent:
        opacity = alpha[..., None] / np.float32(max_value)
        values = np.rint(values * opacity + 255 * (1 - opacity)).astype(np.uint8)
    if channels == 1:
        gray = values if values.ndim == 2 else cv2.cvtColor(values, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004
        return np.asarray(gray, np.uint8)
    code = cv2.COLOR_GRAY2RGB if values.ndim == 2 else cv2.COLOR_BGR2RGB  # noqa: PLR2004
    return np.asarray(cv2.cvtColor(values, code), np.uint8)


def resize_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return `pixels` scaled: by area averaging if smaller, else by linear interpolation."""
    if pixels.shape[:2] == (height, width):
        return pixels
    out = np.empty((height, width, *pixels.shape[2:]), np.uint8)
    resize_into(pixels, out)
    return out


def resize_into(pixels: Pixels, out: Pixels) -> None:
    """Write `pixels` (H, W) or (H, W, 3), scaled, into `out` (height, width, 1 or 3)."""
    rows, columns = pixels.shape[:2]
    height, width = out.shape[:2]
    if (rows, columns) == (height, width):
        out[:] = pixels.reshape(out.shape)
        return
    shrinks = rows >= height and columns >= width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # OpenCV writes into an array of the right size with contiguous rows, and ignores others.
    cv2.resize(pixels, (width, height), out, interpolation=interpolation)


def encode_jpeg(pixels: Pixels, quality: int = 95) -> bytes:
    """Return pixels (H, W) or RGB (H, W, 3) as a JPEG."""
    return _encoded(pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def encode_png(pixels: Pixels) -> bytes:
    """Return pixels (H, W) or RGB (H, W, 3) as a PNG."""
    return _encoded(pixels, ".png")


def _encoded(pixels: Pixels, suffix: str, *parameters: int) -> bytes:
    if pixels.ndim > 2:  # noqa: PLR2004 (a color axis)
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    done, content = cv2.imencode(suffix, pixels, parameters)
    if not done:
        raise SampleError("an image that cannot be encoded")
    return content.tobytes()
