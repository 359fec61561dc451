"""Images of words and lines as the tensors that networks read."""

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
"""Before an image is scaled to the input, and after."""


@dataclass(frozen=True)
class ImageTransform:
    """Scales images to the size that `input` says, and their values to its range.

    Attributes:
        input: The size, the margin and the range of values.
        augmentation: What changes images at random in training. It keeps their sizes, so that
            lengths are known without pixels.
    """

    input: ImageInput
    augmentation: ImageAugmentation | None = None

    @property
    def shape(self) -> InputShape:
        """The shape of an image; its width is 0 where widths vary."""
        return InputShape(self.input.channels, self.input.height, self.input.width)

    @property
    def varies(self) -> bool:
        """Whether a batch is as wide as its widest image."""
        return not self.input.width

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the valid columns of every sample, from its size and without its pixels."""
        if self._stretches:
            return np.full(len(samples), self.input.width)
        return self.columns(samples.column("width"), samples.column("height"))

    def columns(self, widths: NDArray[np.int64], heights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the valid columns of images of `widths` and `heights` whose ratios are kept."""
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
        return self.input.width if self._stretches else int(self.columns(*size)[0])

    def read(
        self,
        references: Sequence[SampleRef],
        generators: Sequence[np.random.Generator] | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (N, channels, H, W), uint8, and their valid columns (N,)."""
        drawn = [*zip_longest(references, generators or ())]
        if self.varies:
            scaled = [self._scaled(*each) for each in drawn]
            return _edge_padded(scaled), torch.tensor([image.shape[1] for image in scaled])
        lengths = np.full(len(references), self.input.width)
        pixels = np.full((len(references), *self._size), GRAY, np.uint8)
        for place, (out, (reference, generator)) in enumerate(zip(pixels, drawn, strict=True)):
            if self._stretches:
                self._stretch(reference, generator, out)
            else:
                image = self._scaled(reference, generator)
                lengths[place] = width = image.shape[1]
                out[:, :width] = image
        return torch.from_numpy(pixels).movedim(-1, -3), torch.from_numpy(lengths)

    def pad(self, inputs: torch.Tensor, length: int) -> torch.Tensor:
        """Return images as wide as `length`, padded with their last column."""
        count = length - inputs.shape[-1]
        return torch.cat([inputs, inputs[..., -1:].expand(*inputs.shape[:-1], count)], -1)

    def finish(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return images of bytes as float32 values of the range of the input."""
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
        """Write one image into `out` (H, W, channels), without regard to its aspect ratio."""
        stage = self.augmentation.stage if self.augmentation and generator else "scaled"
        decoded = None
        # What was decoded ahead of time has no margin, and has its last size.
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
        """Return one image (H, valid columns, channels) whose aspect ratio is kept."""
        image = self._decoded(reference)
        [width] = self.columns(*np.array(image.shape[1::-1]).reshape(2, 1)).tolist()
        padded = self._augmented(self._padded(image), "stored", generator)
        scaled = resize_image(padded, self.shape._replace(width=width))
        return self._augmented(scaled, "scaled", generator)

    def _augmented(
        self, pixels: Pixels, stage: Stage, generator: np.random.Generator | None
    ) -> Pixels:
        """Return an image (H, W) or (H, W, channels), changed where a stage changes it."""
        if not (self.augmentation and generator and self.augmentation.stage == stage):
            return pixels
        plain = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
        changed = self.augmentation.augment(plain, generator)
        return require_same_size(self.augmentation, plain, changed).reshape(pixels.shape)

    def _decoded(self, reference: SampleRef) -> Pixels:
        return reference.partition.pixels(reference.row, self.input.channels)

    def _padded(self, image: Pixels) -> Pixels:
        """Return the image with its margin."""
        if self.input.margin == (0, 0):
            return image
        vertical, horizontal = self.input.margin
        sides = [(vertical, vertical), (horizontal, horizontal), (0, 0)]
        return np.pad(image, sides[: image.ndim], constant_values=WHITE)


def resize_image(pixels: Pixels, shape: InputShape) -> Pixels:
    """Return `pixels` (H, W) or (H, W, 3) as an image (H, W, channels) of `shape`."""
    channels, height, width = shape
    return images.resize_pixels(pixels, width, height).reshape(height, width, channels)


def _edge_padded(scaled: Sequence[Pixels]) -> torch.Tensor:
    """Return images (H, W, channels) as (N, channels, H, widest), padded with their last column."""
    height, _, channels = scaled[0].shape
    widest = max(image.shape[1] for image in scaled)
    pixels = np.empty((len(scaled), channels, height, widest), np.uint8)
    for row, image in zip(pixels, scaled, strict=True):
        width = image.shape[1]
        row[..., :width] = np.moveaxis(image, -1, 0)
        row[..., width:] = row[..., width - 1 : width]
    return torch.from_numpy(pixels)
