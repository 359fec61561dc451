"""Networks with a classifier: trained by bench, or loaded from files of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.recognizers.networks.exported import ImageReader


def load(folder: str | Path, device: str = "cpu") -> ImageReader:
    """Return the network in a folder that `bench export` wrote, ready to read images.

    Args:
        folder: The folder.
        device: The device to compute on, such as "cpu" or "cuda".

    Raises:
        BenchError: The folder has no exported network, or its network reads clips.
    """
    from bench.recognizers.networks import exported

    return exported.load(folder, device)
