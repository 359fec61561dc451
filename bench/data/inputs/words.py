"""Words at one size, as networks of scene text read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.types import InputShape
from bench.data.inputs import images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.inputs.images import Pixels
    from bench.data.reading.samples import Place, Samples
    from bench.data.store.partition import Partition

GREY = 128


@dataclass(frozen=True)
class Words:
    """Images at the size of `shape`, in [-1, 1].

    They are stretched to it, unless `keep_ratio`: then their height is that of `shape`, they are
    squeezed where that makes them wider, and what is left on the right is grey.
    """

    shape: InputShape
    keep_ratio: bool = False

    @property
    def varies(self) -> bool:
        """Whether lengths do: a batch is as wide as `shape` either way."""
        return False

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the columns of every sample."""
        if not self.keep_ratio:
            return np.full(len(samples), self.shape.width)
        return self.columns(samples.column("width"), samples.column("height"))

    def columns(self, widths: NDArray[np.int64], heights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the columns of images of `widths` and `heights` where ratios are kept."""
        scaled = np.rint(widths * (self.shape.height / heights)).astype(np.int64)
        return np.clip(scaled, 1, self.shape.width)

    def read(
        self,
        places: Sequence[Place],
        draw: np.random.Generator | None,  # noqa: ARG002 (words are not augmented)
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (N, channels, H, W) and their columns (N,)."""
        channels, height, width = self.shape
        pixels = np.full((len(places), height, width, channels), GREY, np.uint8)
        lengths = np.full(len(places), width)
        for index, (partition, row) in enumerate(places):
            if not self.keep_ratio:
                pixels[index] = self.word(partition, row)
                continue
            image = partition.pixels(row, channels)
            [lengths[index]] = self.columns(*np.array(image.shape[1::-1]).reshape(2, 1))
            found = images.resized(image, int(lengths[index]), height)
            pixels[index, :, : lengths[index]] = found.reshape(height, -1, channels)
        return normalised(pixels), torch.from_numpy(lengths)

    def word(self, partition: Partition, row: int) -> Pixels:
        """Return one image (H, W, channels) stretched to the shape."""
        ready = partition.decoded(self.shape)
        if ready is not None:
            return np.asarray(ready[row])
        return stretched(partition.pixels(row, self.shape.channels), self.shape)


def stretched(pixels: Pixels, shape: InputShape) -> Pixels:
    """Return `pixels` (H, W) or (H, W, 3) as an image (H, W, channels) of `shape`."""
    channels, height, width = shape
    return images.resized(pixels, width, height).reshape(height, width, channels)


def normalised(pixels: Pixels) -> torch.Tensor:
    """Return pixels (…, H, W, channels) as a tensor (…, channels, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels).movedim(-1, -3).float().div_(127.5).sub_(1)
