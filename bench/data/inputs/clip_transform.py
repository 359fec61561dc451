"""Clips as the tensors that networks read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.augmented import same_size
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

    def read(
        self,
        references: Sequence[SampleRef],
        generators: Sequence[np.random.Generator] | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return clips (N, T, 3, H, W) and their frames (N,), augmented by their generators."""
        clips = [self._clip(*each) for each in zip_longest(references, generators or ())]
        lengths = torch.tensor([len(clip) for clip in clips])
        padded = np.zeros((len(clips), int(lengths.max()), *self._crop, _CHANNELS), np.uint8)
        for clip, room in zip(clips, padded, strict=True):
            room[: len(clip)] = clip
        pixels = torch.from_numpy(padded).movedim(-1, -3)
        return normalize_bytes(pixels, self.input.normalization), lengths

    def _clip(self, reference: SampleRef, generator: np.random.Generator | None) -> Pixels:
        """Return the frames (T, H, W, 3) of one clip, augmented where there is a generator."""
        count = int(reference.partition.value("frames", reference.row))
        rows, columns = self._scaled
        height, width = self._crop
        spare = (rows - height, columns - width)
        chosen, (top, left) = np.arange(count), (spare[0] // 2, spare[1] // 2)
        augmentation = None if generator is None else self.augmentation
        if augmentation and generator:
            chosen = augmentation.choose_frames(count, generator)
            top, left = augmentation.crop_corner(spare, generator)
        frames = reference.partition.clip(reference.row, chosen.tolist(), _CHANNELS)
        shown = np.stack(
            [
                images.resized(frame, columns, rows)[top : top + height, left : left + width]
                for frame in frames
            ]
        )
        if augmentation and generator:
            return same_size(augmentation, shown, augmentation.augment(shown, generator))
        return shown
