"""What every generator is given, and what all of them do: divide samples, encode pictures."""

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
    """What to render.

    Attributes:
        name: The data set whose files are imitated.
        out: The folder to write to.
        count: How many samples.
        rng: What everything random is drawn from.
        difficulty: Of words; other generators have one difficulty.
        advance: Told how many more samples are on disk.
    """

    name: str
    out: Path
    count: int
    rng: np.random.Generator
    difficulty: Difficulty
    advance: Callable[[int], None]


def spread(job: Job, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide the samples of `job` by `shares`, one to each at least.

    Raises BenchError where there are fewer samples than shares.
    """
    count = job.count
    if count < len(shares):
        raise BenchError(
            f"synthetic {job.name}: {count} samples are too few for {', '.join(shares)}; ask for "
            f"{len(shares)} or more"
        )
    ends = np.cumsum([0.0, *shares.values()]) / sum(shares.values()) * count
    sizes = np.diff(np.rint(ends)).astype(int).clip(1)
    sizes[sizes.argmax()] += count - sizes.sum()
    return dict(zip(shares, sizes.tolist(), strict=True))


def write_png(file: Path, image: NDArray[np.uint8]) -> None:
    """Write an image (H, W) or (H, W, 3), blue first: small and fast, for most of it is flat."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    _, encoded = cv2.imencode(".png", image, options)
    file.write_bytes(encoded.tobytes())
