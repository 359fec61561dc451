"""Images of a small split, kept in memory once they have been read."""

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
"""The most memory of a split that is held: 80,000 gray words of 32×100."""

Read = Callable[["NDArray[np.intp]"], "tuple[Tensor, Tensor]"]


class HeldImages(SentOnce):
    """The images of a split at the size of the input, decoded once, in memory that workers share.

    An image takes memory once it has been read. So an epoch decodes the images that no batch has
    had before, and copies the others.

    Args:
        samples: How many the split has.
        shape: The shape of all images.
    """

    def __init__(self, samples: int, shape: InputShape) -> None:
        self._shape = (samples, shape.height, shape.width, shape.channels)
        self._pixels = SharedBytes(math.prod(self._shape))
        self._lengths = SharedBytes(8 * samples)

    def read(self, numbers: NDArray[np.int32], read: Read) -> tuple[Tensor, Tensor]:
        """Return the images (N, channels, H, W) and valid columns (N,) of some samples.

        Args:
            numbers: The indices (N,) of the samples in their split.
            read: Reads the samples at some places (M,) of `numbers`, for those that are not held.
        """
        pixels = self._pixels.content.numpy().reshape(self._shape)
        # 0 until the pixels of a sample have been written.
        lengths = self._lengths.content.numpy().view(np.int64)
        missing = np.flatnonzero(lengths[numbers] == 0)
        if len(missing):
            images, columns = read(missing)
            pixels[numbers[missing]] = images.movedim(-3, -1).numpy()
            lengths[numbers[missing]] = columns.numpy()
        return torch.from_numpy(pixels[numbers]).movedim(-1, -3), torch.from_numpy(lengths[numbers])


def can_be_held(samples: int, shape: InputShape) -> bool:
    """Return whether a split is small enough, and all its images have one shape."""
    return 0 < samples * math.prod(shape) <= MAX_BYTES
