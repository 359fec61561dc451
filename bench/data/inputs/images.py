"""Encoded images to pixels."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

MAX_PIXELS = 2**26
"""More than any line, page or frame has; what claims more is a fault or an attack."""

# OpenCV reads it when it is loaded, and holds it against a header before it makes room for pixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.data.raw.entries import SampleError  # noqa: E402

Encoded = bytes | memoryview
Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_HEAD = 2**14
"""Bytes of an image that tell of its format, with profiles of color before what is transparent."""
_DEPTHS = (8, 10, 12, 14, 16)
"""Bits per value that scanners and cameras have."""

# Its own threads would fight those of torch and of the loaders for the same cores.
cv2.setNumThreads(0)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def image_size(encoded: Encoded) -> Size:
    """Return the size of an image, once it was decoded. Raises SampleError where it cannot be."""
    height, width = decode_image(encoded, 1).shape
    return Size(width, height)


def decode_image(encoded: Encoded, channels: int) -> Pixels:
    """Return pixels (H, W) of one channel, (H, W, 3) in the order red, green, blue of three.

    What is transparent is put on white. Values of 16 bits that use fewer, such as 0 to 255, are
    scaled by the smallest usual range that holds them.

    Raises SampleError where they cannot be decoded, or are more than `MAX_PIXELS`.
    """
    if not encoded:
        raise SampleError("an image of no bytes")
    # How a camera was held says nothing here: no other reader of these data sets turns them.
    mode = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR_RGB
    buffer = np.frombuffer(encoded, np.uint8)
    pixels: Array | None = None
    try:
        if _may_have_alpha_or_16_bits(bytes(encoded[:_HEAD])):
            pixels = _composed(cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED), channels)
        if pixels is None:
            pixels = cv2.imdecode(buffer, mode | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise SampleError(f"an image that cannot be decoded (at most {MAX_PIXELS:,} pixels)")
    return np.asarray(pixels, np.uint8)


def _may_have_alpha_or_16_bits(head: bytes) -> bool:
    """Return whether an image that begins so may be more than 8 bits of gray or color.

    JPEG and most PNG are told by their first bytes; others have to be decoded to know.
    """
    if head.startswith(b"\xff\xd8"):
        return False
    if head.startswith(b"\x89PNG"):
        depth, kind = head[24:25], head[25:26]
        # A transparent color is named before the pixels.
        keyed = head.find(b"tRNS", 0, head.find(b"IDAT")) > 0
        return depth == b"\x10" or kind not in {b"\0", b"\2"} or keyed
    return True


def _composed(whole: Array | None, channels: int) -> Pixels | None:
    """Return what `decoded` does of an image as it is stored, None where that is ordinary."""
    if whole is None or whole.dtype not in (np.uint8, np.uint16):
        return None
    most = np.iinfo(whole.dtype).max
    depth, transparent = 8, False
    alpha = cv2.extractChannel(whole, 3) if whole.shape[2:] == (4,) else None
    if alpha is not None:
        # A channel that is 0 all over is unused: such an image would show nothing.
        transparent = bool(alpha.min() < most and alpha.max() > 0)
    colors = whole[..., :3] if alpha is not None else whole
    if whole.dtype == np.uint16:
        depth = next(bits for bits in _DEPTHS if colors.max() < 2**bits)
    if not transparent and depth == most.bit_length():
        return None
    values = (colors >> (depth - 8)).astype(np.uint8)
    if alpha is not None and transparent:
        opacity = alpha[..., None] / np.float32(most)
        values = np.rint(values * opacity + 255 * (1 - opacity)).astype(np.uint8)
    if channels == 1:
        gray = values if values.ndim == 2 else cv2.cvtColor(values, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004
        return np.asarray(gray, np.uint8)
    code = cv2.COLOR_GRAY2RGB if values.ndim == 2 else cv2.COLOR_BGR2RGB  # noqa: PLR2004
    return np.asarray(cv2.cvtColor(values, code), np.uint8)


def resize_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
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


def encode_jpeg(pixels: Pixels, quality: int = 95) -> bytes:
    """Return pixels (H, W) or (H, W, 3), red first, as a JPEG."""
    return _encoded(pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def encode_png(pixels: Pixels) -> bytes:
    """Return pixels (H, W) or (H, W, 3), red first, as a PNG."""
    return _encoded(pixels, ".png")


def _encoded(pixels: Pixels, suffix: str, *parameters: int) -> bytes:
    if pixels.ndim > 2:  # noqa: PLR2004 (a color axis)
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    done, content = cv2.imencode(suffix, pixels, parameters)
    if not done:
        raise SampleError("an image that cannot be encoded")
    return content.tobytes()
