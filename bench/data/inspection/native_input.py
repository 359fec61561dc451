"""The input that shows a data set to a person, independent of any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.model_input import FrameInput, ImageInput

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.core.model_input import Input

_HEIGHT = 64


def native_input(dataset: Dataset) -> Input:
    """Return an input of unscaled frames, or of RGB images of 64 rows with their aspect ratio."""
    if dataset.gives == "frames":
        return FrameInput(normalization="unit")
    return ImageInput(height=_HEIGHT, width=0, color=True, normalization="unit")
