"""A cache of the decoded images of a small split, in memory that worker processes share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.data.reading.sent_once import SentOnce
from bench.data.reading.shared_bytes import SharedBytes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.types import InputShape

MAX_BYTES = 256 * 2**20
"""The largest split that is cached: 80,000 gray words of 32×100 pixels."""

ReadImages = Callable[["NDArray[np.intp]"], "tuple[Tensor, Tensor]"]


class SharedImageCache(SentOnce):
    """The images of a split at the size of the input, each decoded by the first process to read it.

    An image takes memory only after it was read. So an epoch decodes the images that were in no
    batch yet, and copies the others from the cache.

    Args:
        samples: The number of samples in the split.
        shape: The shape of every image.
    """

    def __init__(self, samples: int, shape: InputShape) -> None:
        self._shape = (samples, shape.height, shape.width, shape.channels)
        self._pixels = SharedBytes(math.prod(self._shape))
        self._lengths = SharedBytes(8 * samples)

    def read(self, numbers: NDArray[np.int32], read_missing: ReadImages) -> tuple[Tensor, Tensor]:
        """Return the images (N, channels, H, W) and the valid columns (N,) of some samples.

        Args:
            numbers: The indices (N,) of the samples in their split.
            read_missing: Reads the samples at positions (M,) of `numbers` that are not cached.
        """
        pixels = self._pixels.content.numpy().reshape(self._shape)
        # The length of a sample is 0 until its pixels have been written.
        lengths = self._lengths.content.numpy().view(np.int64)
        missing = np.flatnonzero(lengths[numbers] == 0)
        if len(missing):
            images, columns = read_missing(missing)
            pixels[numbers[missing]] = images.movedim(-3, -1).numpy()
            lengths[numbers[missing]] = columns.numpy()
        return torch.from_numpy(pixels[numbers]).movedim(-1, -3), torch.from_numpy(lengths[numbers])


def fits_in_cache(samples: int, shape: InputShape) -> bool:
    """Return whether a split is not larger than `MAX_BYTES`, and all its images have one shape."""
    return 0 < samples * math.prod(shape) <= MAX_BYTES
