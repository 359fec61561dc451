"""Preparation of encoded images as arrays, as a `ReaderInput` describes."""

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
"""Mean and standard deviation of ImageNet for red, green and blue."""


class PreparedImages(NamedTuple):
    """Prepared images of one size.

    Attributes:
        indices: The indices of the N images in their batch.
        images: (N, channels, height, width), float32.
        columns: The number of columns of each image without padding (N,).
    """

    indices: list[int]
    images: NDArray[np.float32]
    columns: NDArray[np.int64]


def prepare_images(
    samples: Sequence[EncodedSample], reader_input: ReaderInput
) -> Iterator[PreparedImages]:
    """Prepare the images of a batch and yield them grouped by size.

    Raises:
        BenchError: An image cannot be decoded; the message has the id of the sample.
    """
    scaled = [scale_image(decode_image(sample, reader_input), reader_input) for sample in samples]
    widest = max((image.shape[1] for image in scaled), default=0)
    groups: dict[tuple[int, int], list[int]] = {}
    for index, image in enumerate(scaled):
        own = widest if reader_input.pad_to == "batch" else image.shape[1]
        groups.setdefault((image.shape[0], padded_width(own, reader_input)), []).append(index)
    for (height, width), indices in groups.items():
        pixels = np.empty((len(indices), reader_input.channels, height, width), np.float32)
        for out, index in zip(pixels, indices, strict=True):
            write_padded(scaled[index], reader_input, out)
        columns = np.array([scaled[index].shape[1] for index in indices], np.int64)
        yield PreparedImages(indices, _scaled_values(pixels, reader_input), columns)


def decode_image(sample: EncodedSample, reader_input: ReaderInput) -> Pixels:
    """Return the pixels (H, W), or red, green and blue (H, W, 3), with the margin of the input."""
    opencv = reader_input.library == "opencv"
    pixels = (
        sample.pixels(reader_input.channels)
        if opencv
        else _decoded_by_pillow(sample, reader_input.channels)
    )
    if reader_input.margin == (0, 0):
        return pixels
    rows, columns = reader_input.margin
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


def scale_image(pixels: Pixels, reader_input: ReaderInput) -> Pixels:
    """Return pixels scaled to the size of the input, without padding."""
    rows, columns = pixels.shape[:2]
    if reader_input.sizes:
        number = min(max(round(columns / rows), 1), len(reader_input.sizes))
        height, width = reader_input.sizes[number - 1]
    else:
        height, width = reader_input.height, reader_input.width
        if not width or reader_input.keep_ratio:
            exact = height * columns / rows
            whole = max(
                math.ceil(exact) if reader_input.rounding == "up" else int(np.rint(exact)), 1
            )
            width = min(whole, width) if width else whole
    return resize_image(pixels, width, height, reader_input.interpolation)


def resize_image(pixels: Pixels, width: int, height: int, interpolation: Interpolation) -> Pixels:
    """Return pixels (H, W) or (H, W, 3) at another size."""
    if interpolation == "opencv-area-or-linear":
        return images.resize_pixels(pixels, width, height)
    if interpolation in _PILLOW:
        return np.asarray(
            Image.fromarray(pixels).resize((width, height), _PILLOW[interpolation]), np.uint8
        )
    return np.asarray(
        cv2.resize(pixels, (width, height), interpolation=_OPENCV[interpolation]), np.uint8
    )


def padded_width(width: int, reader_input: ReaderInput) -> int:
    """Return the number of columns with padding of an image that has `width` columns without."""
    if reader_input.sizes:
        return width
    if reader_input.width:
        return reader_input.width
    return -(-max(width, reader_input.min_width) // reader_input.multiple) * reader_input.multiple


def write_padded(pixels: Pixels, reader_input: ReaderInput, out: NDArray[np.float32]) -> None:
    """Write pixels (H, W) or (H, W, 3) into `out` (channels, H, width), with padding at right."""
    width = pixels.shape[1]
    out[..., :width] = pixels if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)  # noqa: PLR2004
    if reader_input.pad == "edge":
        out[..., width:] = out[..., width - 1 : width]
    elif isinstance(reader_input.pad, int):
        out[..., width:] = reader_input.pad
    elif reader_input.pad != "none":
        out[..., width:] = _LEVELS[reader_input.pad]


def _scaled_values(pixels: NDArray[np.float32], reader_input: ReaderInput) -> NDArray[np.float32]:
    """Return pixels (N, channels, H, W), 0 to 255, in the range and channel order of the input."""
    values = _SCALINGS[reader_input.scaling](pixels)
    return np.ascontiguousarray(values[:, ::-1]) if reader_input.color == "bgr" else values


_SCALINGS: dict[Scaling, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "signed": lambda pixels: pixels / np.float32(127.5) - np.float32(1),
    "unit": lambda pixels: pixels / np.float32(255),
    "centered": lambda pixels: pixels / np.float32(255) - np.float32(0.5),
    "imagenet": lambda pixels: (pixels / np.float32(255) - _MEAN) / _STD,
    "raw": lambda pixels: pixels,
}
