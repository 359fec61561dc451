"""How a person looks at a data set: without the input of any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.model_input import FrameInput, ImageInput

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.core.model_input import Input

_HEIGHT = 64


def native_input(dataset: Dataset) -> Input:
    """Return frames as they are, or colored images of 64 rows that keep their aspect ratio."""
    if dataset.gives == "frames":
        return FrameInput(normalization="unit")
    return ImageInput(height=_HEIGHT, width=0, color=True, normalization="unit")
