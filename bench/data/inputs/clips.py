"""Clips of sign language, as networks of VAC's family are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.words import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.inputs.images import Pixels
    from bench.data.reading.samples import Place, Samples

_SHORTEST, _LONGEST = 32, 230


@dataclass(frozen=True)
class Clips:
    """Frames scaled to `size` × `size`, of which `crop` × `crop` pixels are shown, in [-1, 1].

    The crop is the middle one. In training it lies anywhere, half of the clips are mirrored, and
    time is rescaled by up to `rescale` either way: frames are drawn without repetition where there
    are fewer, else with, and stay in order. A batch is padded with black frames.
    """

    size: int
    crop: int
    rescale: float
    varies: bool = True

    @property
    def shape(self) -> InputShape:
        """The shape of a frame."""
        return InputShape(3, self.crop, self.crop)

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the frames of every clip, as long as it is."""
        return samples.column("frames")

    def read(
        self, places: Sequence[Place], draw: np.random.Generator | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return clips (N, T, 3, crop, crop) and their frames (N,)."""
        clips = [self._clip(place, draw) for place in places]
        lengths = torch.tensor([len(clip) for clip in clips])
        pixels = np.zeros((len(clips), int(lengths.max()), self.crop, self.crop, 3), np.uint8)
        for clip, room in zip(clips, pixels, strict=True):
            room[: len(clip)] = clip
        return normalised(pixels), lengths

    def _clip(self, place: Place, draw: np.random.Generator | None) -> Pixels:
        count = int(place.partition.value("frames", place.row))
        spare = self.size - self.crop
        top, left, mirrored = spare // 2, spare // 2, False
        chosen = np.arange(count)
        if draw is not None:
            chosen = self._rescaled(count, draw)
            top, left = draw.integers(0, spare + 1, 2).tolist()
            mirrored = bool(draw.random() < 1 / 2)
        frames = place.partition.clip(place.row, chosen.tolist(), 3)
        shown = np.stack(
            [
                images.resized(frame, self.size, self.size)[
                    top : top + self.crop, left : left + self.crop
                ]
                for frame in frames
            ]
        )
        return shown[:, :, ::-1] if mirrored else shown

    def _rescaled(self, count: int, draw: np.random.Generator) -> NDArray[np.int64]:
        """Return the frames of a clip of `count` at another pace.

        VAC's code bounds what it makes of a clip to 32…230 frames; what is outside these bounds
        before is not forced into them here.
        """
        wanted = int(count * draw.uniform(1 - self.rescale, 1 + self.rescale))
        wanted = int(np.clip(wanted, min(count, _SHORTEST), max(count, _LONGEST)))
        return np.sort(draw.choice(count, wanted, replace=wanted > count))
