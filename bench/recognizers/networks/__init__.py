"""Networks with a classifier, which bench trains, or loads from files of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.recognizers.networks.exported import ImageReader


def load(folder: str | Path, device: str = "cpu") -> ImageReader:
    """Return the network in a folder that `bench export` wrote, ready to read images.

    See `bench.recognizers.networks.exported.load`.
    """
    from bench.recognizers.networks import exported

    return exported.load(folder, device)
