"""The arguments of generators, and functions that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.synthetic import Difficulty


@dataclass(frozen=True)
class Job:
    """The arguments of a generator, see `generate_dataset`.

    Attributes:
        name: The data set whose files are imitated.
        out: The folder to write to.
        count: The number of samples.
        rng: The random generator of all draws.
        difficulty: The difficulty of words; other generators have one difficulty.
        advance: Called with the number of samples that were written since the last call.
    """

    name: str
    out: Path
    count: int
    rng: np.random.Generator
    difficulty: Difficulty
    advance: Callable[[int], None]


def divide_samples(job: Job, shares: Mapping[str, float]) -> dict[str, int]:
    """Return the number of samples per part in proportion to `shares`, at least one.

    Raises:
        BenchError: There are fewer samples than parts.
    """
    count = job.count
    if count < len(shares):
        raise BenchError(
            f"synthetic {job.name}: {count} samples are too few for {', '.join(shares)}; set "
            f"{len(shares)} or more"
        )
    ends = np.cumsum([0.0, *shares.values()]) / sum(shares.values()) * count
    sizes = np.diff(np.rint(ends)).astype(int).clip(1)
    sizes[sizes.argmax()] += count - sizes.sum()
    return dict(zip(shares, sizes.tolist(), strict=True))


def write_png(file: Path, image: NDArray[np.uint8]) -> None:
    """Write an image (H, W) or BGR (H, W, 3) with fast compression, which suits flat images."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    _, encoded = cv2.imencode(".png", image, options)
    file.write_bytes(encoded.tobytes())
