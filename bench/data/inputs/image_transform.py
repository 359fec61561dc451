"""The transform of images of words and lines to input tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.augmented import require_same_size
from bench.data.inputs.pixel_values import normalize_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.core.components import ImageAugmentation
    from bench.core.model_input import ImageInput
    from bench.data.inputs.images import Pixels
    from bench.data.reading.samples import SampleRef, Samples

GRAY, WHITE = 128, 255
_SIDES = ("width", "height")
Stage = Literal["stored", "scaled"]
"""When an augmentation is applied: before an image is scaled to the input, or after."""


@dataclass(frozen=True)
class ImageTransform:
    """Scales images to the size of the input, and their values to its normalization.

    Attributes:
        input: The size, the margin and the normalization.
        augmentation: The augmentation of training images. It keeps their sizes, so that lengths
            are known without reading pixels.
    """

    input: ImageInput
    augmentation: ImageAugmentation | None = None

    @property
    def shape(self) -> InputShape:
        """The shape of an image; width 0 means that widths vary."""
        return InputShape(self.input.channels, self.input.height, self.input.width)

    @property
    def varies(self) -> bool:
        """Whether a batch is as wide as its widest image."""
        return not self.input.width

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the valid columns of each sample (N,), computed from its size alone."""
        if self._stretches:
            return np.full(len(samples), self.input.width)
        return self.valid_columns(samples.column("width"), samples.column("height"))

    def valid_columns(
        self, widths: NDArray[np.int64], heights: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the valid columns (N,) of images of these sizes whose aspect ratios are kept."""
        vertical, horizontal = self.input.margin
        widths, heights = widths + 2 * horizontal, heights + 2 * vertical
        if self.varies:
            return np.maximum(np.rint(widths / heights * self.input.height), 1).astype(np.int64)
        scaled = np.rint(widths * (self.input.height / heights)).astype(np.int64)
        return np.clip(scaled, 1, self.input.width)

    def length(
        self,
        reference: SampleRef,
        generator: np.random.Generator | None,  # noqa: ARG002 (augmentations keep sizes)
    ) -> int:
        """Return the valid columns of one sample, without its pixels."""
        size = [np.array([reference.partition.value(side, reference.row)]) for side in _SIDES]
        return self.input.width if self._stretches else int(self.valid_columns(*size)[0])

    def read(
        self,
        references: Sequence[SampleRef],
        generators: Sequence[np.random.Generator] | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (N, channels, H, W) as uint8, and their valid columns (N,)."""
        pairs = [*zip_longest(references, generators or ())]
        if self.varies:
            scaled = [self._scaled(*pair) for pair in pairs]
            return _edge_padded(scaled), torch.tensor([image.shape[1] for image in scaled])
        lengths = np.full(len(references), self.input.width)
        pixels = np.full((len(references), *self._size), GRAY, np.uint8)
        for row, (out, (reference, generator)) in enumerate(zip(pixels, pairs, strict=True)):
            if self._stretches:
                self._stretch(reference, generator, out)
            else:
                image = self._scaled(reference, generator)
                lengths[row] = width = image.shape[1]
                out[:, :width] = image
        return torch.from_numpy(pixels).movedim(-1, -3), torch.from_numpy(lengths)

    def pad(self, inputs: torch.Tensor, length: int) -> torch.Tensor:
        """Return images padded to `length` columns by repeating the last column."""
        count = length - inputs.shape[-1]
        return torch.cat([inputs, inputs[..., -1:].expand(*inputs.shape[:-1], count)], -1)

    def finish(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return uint8 images as float32 values in the normalization of the input."""
        return normalize_bytes(inputs, self.input.normalization)

    @property
    def _stretches(self) -> bool:
        return bool(self.input.width) and not self.input.keep_ratio

    @property
    def _size(self) -> tuple[int, int, int]:
        return self.input.height, self.input.width, self.input.channels

    def _stretch(
        self, reference: SampleRef, generator: np.random.Generator | None, out: Pixels
    ) -> None:
        """Write one image, stretched to the size of `out` (H, W, channels), into it."""
        stage = self.augmentation.stage if self.augmentation and generator else "scaled"
        decoded = None
        # The pre-decoded cache has images without a margin, already scaled.
        if self.input.margin == (0, 0) and stage == "scaled":
            decoded = reference.partition.decoded(self.shape)
        if decoded is not None:
            out[:] = decoded[reference.row]
        else:
            padded = self._padded(self._decoded(reference))
            images.resize_into(self._augmented(padded, "stored", generator), out)
        if generator and stage == "scaled":
            out[:] = self._augmented(out, "scaled", generator)

    def _scaled(self, reference: SampleRef, generator: np.random.Generator | None) -> Pixels:
        """Return one image (H, valid columns, channels) scaled with its aspect ratio."""
        image = self._decoded(reference)
        [width] = self.valid_columns(*np.array(image.shape[1::-1]).reshape(2, 1)).tolist()
        padded = self._augmented(self._padded(image), "stored", generator)
        scaled = resize_image(padded, self.shape._replace(width=width))
        return self._augmented(scaled, "scaled", generator)

    def _augmented(
        self, pixels: Pixels, stage: Stage, generator: np.random.Generator | None
    ) -> Pixels:
        """Return an image (H, W) or (H, W, channels), augmented if this is the stage for it."""
        if not (self.augmentation and generator and self.augmentation.stage == stage):
            return pixels
        plain = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
        changed = self.augmentation.augment(plain, generator)
        return require_same_size(self.augmentation, plain, changed).reshape(pixels.shape)

    def _decoded(self, reference: SampleRef) -> Pixels:
        return reference.partition.pixels(reference.row, self.input.channels)

    def _padded(self, image: Pixels) -> Pixels:
        """Return the image with a white margin."""
        if self.input.margin == (0, 0):
            return image
        vertical, horizontal = self.input.margin
        sides = [(vertical, vertical), (horizontal, horizontal), (0, 0)]
        return np.pad(image, sides[: image.ndim], constant_values=WHITE)


def resize_image(pixels: Pixels, shape: InputShape) -> Pixels:
    """Return `pixels` (H, W) or (H, W, 3) stretched to an image (H, W, channels) of `shape`."""
    channels, height, width = shape
    return images.resize_pixels(pixels, width, height).reshape(height, width, channels)


def _edge_padded(scaled: Sequence[Pixels]) -> torch.Tensor:
    """Return images (H, W, channels) as (N, channels, H, W), padded by their last columns."""
    height, _, channels = scaled[0].shape
    widest = max(image.shape[1] for image in scaled)
    pixels = np.empty((len(scaled), channels, height, widest), np.uint8)
    for row, image in zip(pixels, scaled, strict=True):
        width = image.shape[1]
        row[..., :width] = np.moveaxis(image, -1, 0)
        row[..., width:] = row[..., width - 1 : width]
    return torch.from_numpy(pixels)
