"""What an augmentation has to leave as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.core.components import Augmentation
    from bench.data.inputs.images import Pixels


def require_same_size(augmentation: Augmentation, pixels: Pixels, changed: Pixels) -> Pixels:
    """Return `changed`. Raises BenchError where it is not of the size and type of `pixels`."""
    if changed.shape != pixels.shape or changed.dtype != np.uint8:
        raise BenchError(
            f"augmentation '{augmentation.name}' made {changed.dtype} {changed.shape} of uint8 "
            f"{pixels.shape}; return uint8 of the same size"
        )
    return changed
