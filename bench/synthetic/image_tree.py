"""What all synthetic trees have in common: their shares, their marker, and encoded pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError
from bench.synthetic import MARKER, is_complete

VERSION = 1
"""Raise it when the same arguments no longer give the same files."""


@dataclass(frozen=True)
class Order:
    """What to write: `count` samples of the layout `name` to `out`, drawn from `rng`.

    `advance` is told of each sample that is on disk.
    """

    name: str
    out: Path
    count: int
    rng: np.random.Generator
    advance: Callable[[int], None]


def claim(out: Path) -> None:
    """Make the folder `out`; what an interruption left of a stand-in in it is removed.

    Raises BenchError where it holds something else, or is no folder.
    """
    if is_complete(out / MARKER) is False:
        shutil.rmtree(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BenchError(
            f"{out} is there already and is no empty folder; name another, or clear it"
        )
    out.mkdir(parents=True, exist_ok=True)


def mark(out: Path, name: str, count: int, seed: int, *, complete: bool) -> None:
    """Write the file that tells a synthetic tree from real data, and half a one from a whole."""
    (out / MARKER).write_text(
        f'about = "Rendered by a program in the layout of {name}; this is not the real data."\n'
        f'name = "{name}"\ncount = {count}\nseed = {seed}\nversion = {VERSION}\n'
        f"complete = {str(complete).lower()}\n",
        encoding="utf-8",
    )


def spread(order: Order, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide the samples of `order` by `shares`, one to each at least.

    Raises BenchError where there are fewer samples than shares.
    """
    count = order.count
    if count < len(shares):
        raise BenchError(
            f"synthetic {order.name}: {count} samples are too few for {', '.join(shares)}; ask for "
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
