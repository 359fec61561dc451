"""Words decoded once, at one shape: what a GPU that waits for pixels reads instead of JPEGs."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError
from bench.data.inputs.image_transform import resize_image
from bench.data.store.partition import Partition, cache_file
from bench.data.store.prepared import require_prepared

if TYPE_CHECKING:
    from bench.core.types import InputShape
    from bench.data.store.prepared import Advance


def write_decoded_cache(name: str, shape: InputShape, advance: Advance) -> None:
    """Write every image of prepared data, stretched to `shape` as `ImageTransform` does.

    A partition that has them is left as it is. The file is whole or not there. Raises BenchError
    where the disk has no room for it.
    """
    for part in require_prepared(name).parts:
        partition = Partition(name, part)
        file = cache_file(partition.folder, shape)
        if file.exists():
            continue
        partial = file.with_suffix(".partial")
        size = (len(partition), shape.height, shape.width, shape.channels)
        wanted, free = math.prod(size), shutil.disk_usage(partition.folder).free
        if wanted > free:
            raise BenchError(
                f"{partition.folder}: {len(partition):,} words of {shape.width}×{shape.height} "
                f"take {wanted / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free; take a smaller "
                "shape"
            )
        try:
            images = np.lib.format.open_memmap(partial, "w+", np.uint8, size)
            for row in range(len(partition)):
                images[row] = resize_image(partition.pixels(row, shape.channels), shape)
                advance(part, 1)
            images.flush()
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
