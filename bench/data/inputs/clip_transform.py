"""The transform of clips to input tensors."""

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
    """Scales and crops the frames of clips; a batch is padded with black frames.

    Attributes:
        input: The size, the crop and the normalization.
        frame: Rows and columns of all stored frames, for an input without a size.
        augmentation: The augmentation of training clips, which may change their lengths.
        varies: True, because clips differ in length.
    """

    input: FrameInput
    frame: tuple[int, int]
    augmentation: ClipAugmentation | None = None
    varies: bool = True

    @property
    def shape(self) -> InputShape:
        """The shape of a frame."""
        return InputShape(_CHANNELS, *self._crop_size)

    @property
    def _scaled_size(self) -> tuple[int, int]:
        return (self.input.size, self.input.size) if self.input.size else self.frame

    @property
    def _crop_size(self) -> tuple[int, int]:
        return (self.input.crop, self.input.crop) if self.input.crop else self._scaled_size

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the number of stored frames of each clip (N,)."""
        return samples.column("frames")

    def length(self, reference: SampleRef, generator: np.random.Generator | None) -> int:
        """Return the number of frames of one clip as `read` returns it, without decoding."""
        return len(self._frame_numbers(reference, generator))

    def read(
        self, references: Sequence[SampleRef], generators: Sequence[np.random.Generator] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return clips (N, T, 3, H, W) as uint8, and their lengths (N,)."""
        clip_generators = [*(generators or itertools.repeat(None, len(references)))]
        frame_numbers = [*map(self._frame_numbers, references, clip_generators)]
        lengths = torch.tensor([*map(len, frame_numbers)])
        padded = np.zeros(
            (len(frame_numbers), int(lengths.max()), *self._crop_size, _CHANNELS), np.uint8
        )
        for row, out in enumerate(padded):
            frames = out[: len(frame_numbers[row])]
            self._read_clip(frames, references[row], frame_numbers[row], clip_generators[row])
        return torch.from_numpy(padded).movedim(-1, -3), lengths

    def pad(self, inputs: torch.Tensor, length: int) -> torch.Tensor:
        """Return clips padded to `length` frames with black ones."""
        frames = inputs.movedim(-3, -1)  # the order in memory
        count, before, *size = frames.shape
        black = frames.new_zeros(count, length - before, *size)
        return torch.cat([frames, black], 1).movedim(-1, -3)

    def finish(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return uint8 clips as float32 values in the normalization of the input."""
        return normalize_bytes(inputs, self.input.normalization)

    def _frame_numbers(
        self, reference: SampleRef, generator: np.random.Generator | None
    ) -> NDArray[np.int64]:
        """Return the numbers of the frames that are read of a clip."""
        count = int(reference.partition.value("frames", reference.row))
        if self.augmentation and generator:
            return self.augmentation.choose_frames(count, generator)
        return np.arange(count)

    def _read_clip(
        self,
        out: Pixels,
        reference: SampleRef,
        frame_numbers: NDArray[np.int64],
        generator: np.random.Generator | None,
    ) -> None:
        """Write frames of one clip into `out`, augmented if a generator is given."""
        rows, columns = self._scaled_size
        height, width = self._crop_size
        spare = (rows - height, columns - width)
        top, left = spare[0] // 2, spare[1] // 2
        augmentation = self.augmentation
        if augmentation and generator:
            top, left = augmentation.crop_corner(spare, generator)
        frames = reference.partition.clip(reference.row, frame_numbers.tolist(), _CHANNELS)
        for target, frame in zip(out, frames, strict=True):
            scaled = images.resize_pixels(frame, columns, rows)
            target[:] = scaled[top : top + height, left : left + width]
        if augmentation and generator:
            out[:] = require_same_size(augmentation, out, augmentation.augment(out, generator))
