"""Clips as the tensors that networks read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.augmented import require_same_size
from bench.data.inputs.pixel_values import normalize_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.core.components import ClipAugmentation
    from bench.core.model_input import FrameInput
    from bench.data.inputs.images import Pixels
    from bench.data.reading.samples import SampleRef, Samples

_CHANNELS = 3


@dataclass(frozen=True)
class ClipTransform:
    """Scales and crops the frames of clips as `input` says; a batch is padded with black frames.

    Attributes:
        input: The size, the crop and the range of values.
        frame: Rows and columns of all frames, for an input that leaves them as they are.
        augmentation: What changes clips at random in training; it may change their lengths.
    """

    input: FrameInput
    frame: tuple[int, int]
    augmentation: ClipAugmentation | None = None
    varies: bool = True

    @property
    def shape(self) -> InputShape:
        """The shape of a frame."""
        return InputShape(_CHANNELS, *self._crop)

    @property
    def _scaled(self) -> tuple[int, int]:
        return (self.input.size, self.input.size) if self.input.size else self.frame

    @property
    def _crop(self) -> tuple[int, int]:
        return (self.input.crop, self.input.crop) if self.input.crop else self._scaled

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the frames of every clip at its own pace."""
        return samples.column("frames")

    def length(self, reference: SampleRef, generator: np.random.Generator | None) -> int:
        """Return the frames that are read of one clip, without decoding them."""
        return len(self._chosen(reference, generator))

    def read(
        self, references: Sequence[SampleRef], generators: Sequence[np.random.Generator] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return clips (N, T, 3, H, W), uint8, and their frames (N,)."""
        drawing = [*(generators or itertools.repeat(None, len(references)))]
        chosen = [*map(self._chosen, references, drawing)]
        lengths = torch.tensor([*map(len, chosen)])
        padded = np.zeros((len(chosen), int(lengths.max()), *self._crop, _CHANNELS), np.uint8)
        for row, out in enumerate(padded):
            shown = out[: len(chosen[row])]
            self._read_clip(shown, references[row], chosen[row], drawing[row])
        return torch.from_numpy(padded).movedim(-1, -3), lengths

    def pad(self, inputs: torch.Tensor, length: int) -> torch.Tensor:
        """Return clips of `length` frames, padded with black ones."""
        frames = inputs.movedim(-3, -1)  # as they are in memory
        count, before, *size = frames.shape
        black = frames.new_zeros(count, length - before, *size)
        return torch.cat([frames, black], 1).movedim(-1, -3)

    def finish(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return clips of bytes as float32 values of the range of the input."""
        return normalize_bytes(inputs, self.input.normalization)

    def _chosen(
        self, reference: SampleRef, generator: np.random.Generator | None
    ) -> NDArray[np.int64]:
        """Return which frames of a clip are read."""
        count = int(reference.partition.value("frames", reference.row))
        if self.augmentation and generator:
            return self.augmentation.choose_frames(count, generator)
        return np.arange(count)

    def _read_clip(
        self,
        out: Pixels,
        reference: SampleRef,
        chosen: NDArray[np.int64],
        generator: np.random.Generator | None,
    ) -> None:
        """Write the chosen frames of one clip, augmented where there is a generator, into `out`."""
        rows, columns = self._scaled
        height, width = self._crop
        spare = (rows - height, columns - width)
        top, left = spare[0] // 2, spare[1] // 2
        augmentation = self.augmentation
        if augmentation and generator:
            top, left = augmentation.crop_corner(spare, generator)
        frames = reference.partition.clip(reference.row, chosen.tolist(), _CHANNELS)
        for place, frame in zip(out, frames, strict=True):
            scaled = images.resize_pixels(frame, columns, rows)
            place[:] = scaled[top : top + height, left : left + width]
        if augmentation and generator:
            out[:] = require_same_size(augmentation, out, augmentation.augment(out, generator))
