"""Encoded images to the arrays that a `ReaderInput` states."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image

from bench.data.inputs import images
from bench.data.raw.entries import SampleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from bench.data.inputs.images import Pixels
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.inputs.reader_input import Interpolation, ReaderInput, Scaling

_WHITE = 255
_LEVELS = {"black": 0.0, "gray": 127.5, "white": 255.0}
_PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_OPENCV = {
    "opencv-nearest": cv2.INTER_NEAREST,
    "opencv-linear": cv2.INTER_LINEAR,
    "opencv-cubic": cv2.INTER_CUBIC,
    "opencv-area": cv2.INTER_AREA,
}
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)[:, None, None]
_STD = np.array((0.229, 0.224, 0.225), np.float32)[:, None, None]
"""Those of ImageNet, of red, green and blue."""


class Prepared(NamedTuple):
    """Images of one size.

    Attributes:
        places: The places of the N images in their batch.
        images: (N, channels, height, width), float32.
        columns: How many columns of each image (N,) are not padding.
    """

    places: list[int]
    images: NDArray[np.float32]
    columns: NDArray[np.int64]


def prepare(samples: Sequence[EncodedSample], how: ReaderInput) -> Iterator[Prepared]:
    """Yield the images of a batch, those of one size together.

    Raises:
        BenchError: An image cannot be decoded; it names the sample.
    """
    scaled = [scale(decode(sample, how), how) for sample in samples]
    widest = max((image.shape[1] for image in scaled), default=0)
    groups: dict[tuple[int, int], list[int]] = {}
    for place, image in enumerate(scaled):
        own = widest if how.pad_to == "batch" else image.shape[1]
        groups.setdefault((image.shape[0], padded_width(own, how)), []).append(place)
    for (height, width), places in groups.items():
        pixels = np.empty((len(places), how.channels, height, width), np.float32)
        for out, place in zip(pixels, places, strict=True):
            pad(scaled[place], how, out)
        columns = np.array([scaled[place].shape[1] for place in places], np.int64)
        yield Prepared(places, _scaled_values(pixels, how), columns)


def decode(sample: EncodedSample, how: ReaderInput) -> Pixels:
    """Return the pixels (H, W), or red, green and blue (H, W, 3), with their margin."""
    opencv = how.library == "opencv"
    pixels = sample.pixels(how.channels) if opencv else _decoded_by_pillow(sample, how.channels)
    if how.margin == (0, 0):
        return pixels
    rows, columns = how.margin
    sides = [(rows, rows), (columns, columns), (0, 0)]
    return np.pad(pixels, sides[: pixels.ndim], constant_values=_WHITE)


def _decoded_by_pillow(sample: EncodedSample, channels: int) -> Pixels:
    try:
        with Image.open(io.BytesIO(sample.images[0])) as image:
            if image.width * image.height > images.MAX_PIXELS:
                too_large = SampleError(f"an image of more than {images.MAX_PIXELS:,} pixels")
                raise sample.unusable(too_large)
            return np.asarray(image.convert("L" if channels == 1 else "RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise sample.unusable(SampleError("an image that cannot be decoded")) from None


def scale(pixels: Pixels, how: ReaderInput) -> Pixels:
    """Return pixels at the size that they are read at, without padding."""
    rows, columns = pixels.shape[:2]
    if how.sizes:
        number = min(max(round(columns / rows), 1), len(how.sizes))
        height, width = how.sizes[number - 1]
    else:
        height, width = how.height, how.width
        if not width or how.keep_ratio:
            exact = height * columns / rows
            whole = max(math.ceil(exact) if how.rounding == "up" else int(np.rint(exact)), 1)
            width = min(whole, width) if width else whole
    return resize(pixels, width, height, how.interpolation)


def resize(pixels: Pixels, width: int, height: int, how: Interpolation) -> Pixels:
    """Return pixels (H, W) or (H, W, 3) at another size."""
    if how == "opencv-area-or-linear":
        return images.resize_pixels(pixels, width, height)
    if how in _PILLOW:
        return np.asarray(Image.fromarray(pixels).resize((width, height), _PILLOW[how]), np.uint8)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=_OPENCV[how]), np.uint8)


def padded_width(width: int, how: ReaderInput) -> int:
    """Return how many columns an image of so many has with its padding."""
    if how.sizes:
        return width
    if how.width:
        return how.width
    return -(-max(width, how.min_width) // how.multiple) * how.multiple


def pad(pixels: Pixels, how: ReaderInput, out: NDArray[np.float32]) -> None:
    """Write pixels (H, W) or (H, W, 3) into `out` (channels, H, wider), and padding behind them."""
    width = pixels.shape[1]
    out[..., :width] = pixels if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)  # noqa: PLR2004
    if how.pad == "edge":
        out[..., width:] = out[..., width - 1 : width]
    elif isinstance(how.pad, int):
        out[..., width:] = how.pad
    elif how.pad != "none":
        out[..., width:] = _LEVELS[how.pad]


def _scaled_values(pixels: NDArray[np.float32], how: ReaderInput) -> NDArray[np.float32]:
    """Return pixels (N, channels, H, W) of 0 to 255 in another range and order of channels."""
    values = _SCALINGS[how.scaling](pixels)
    return np.ascontiguousarray(values[:, ::-1]) if how.color == "bgr" else values


_SCALINGS: dict[Scaling, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "signed": lambda pixels: pixels / np.float32(127.5) - np.float32(1),
    "unit": lambda pixels: pixels / np.float32(255),
    "centered": lambda pixels: pixels / np.float32(255) - np.float32(0.5),
    "imagenet": lambda pixels: (pixels / np.float32(255) - _MEAN) / _STD,
    "raw": lambda pixels: pixels,
}
