"""The check that an augmentation keeps the size and the type of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.core.components import Augmentation
    from bench.data.inputs.images import Pixels


def require_same_size(augmentation: Augmentation, pixels: Pixels, changed: Pixels) -> Pixels:
    """Return `changed`. Raises BenchError if it is not uint8 of the shape of `pixels`."""
    if changed.shape != pixels.shape or changed.dtype != np.uint8:
        raise BenchError(
            f"augmentation '{augmentation.name}' returned {changed.dtype} {changed.shape} for "
            f"uint8 {pixels.shape}; return uint8 of the same shape"
        )
    return changed
