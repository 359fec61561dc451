"""Handwritten lines at one height, as wide as they are."""

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

WHITE = 255


@dataclass(frozen=True)
class Lines:
    """Grey lines in [0, 1] of one height, their ratio kept.

    First `margin` (vertical, horizontal) pixels of white are put around the scan. A batch is padded
    on the right with each line's last column.
    """

    height: int
    margin: tuple[int, int]
    varies: bool = True

    @property
    def shape(self) -> InputShape:
        """The shape of a line."""
        return InputShape(1, self.height, 0)

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the columns of every line."""
        return self.columns(samples.column("width"), samples.column("height"))

    def columns(self, widths: NDArray[np.int64], heights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the columns of scans of `widths` and `heights`."""
        vertical, horizontal = self.margin
        ratios = (widths + 2 * horizontal) / (heights + 2 * vertical)
        return np.maximum(np.rint(ratios * self.height), 1).astype(np.int64)

    def read(
        self,
        places: Sequence[Place],
        draw: np.random.Generator | None,  # noqa: ARG002 (lines are not augmented)
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return lines (N, 1, H, W) and their columns (N,)."""
        lines = [self._line(partition.pixels(row, 1)) for partition, row in places]
        widest = max(line.shape[1] for line in lines)
        pixels = np.stack([np.pad(x, ((0, 0), (0, widest - x.shape[1])), "edge") for x in lines])
        lengths = torch.tensor([line.shape[1] for line in lines])
        return torch.from_numpy(pixels).unsqueeze(1).float().div_(255), lengths

    def _line(self, scan: Pixels) -> Pixels:
        rows, columns = scan.shape
        [width] = self.columns(np.array([columns]), np.array([rows]))
        vertical, horizontal = self.margin
        padded = np.pad(scan, ((vertical,) * 2, (horizontal,) * 2), constant_values=WHITE)
        return images.resized(padded, int(width), self.height)
