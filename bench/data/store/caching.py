"""The pre-decoded cache: images of words decoded once at one shape, for GPUs that wait for data."""

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
    """Write the images of prepared data, stretched to `shape` as by `ImageTransform`.

    A partition with a cache of this shape is skipped. The file appears only when it is complete.

    Raises:
        BenchError: The free disk space is too small.
    """
    for part in require_prepared(name).parts:
        partition = Partition(name, part)
        file = cache_file(partition.folder, shape)
        if file.exists():
            continue
        partial = file.with_suffix(".partial")
        size = (len(partition), shape.height, shape.width, shape.channels)
        required, free = math.prod(size), shutil.disk_usage(partition.folder).free
        if required > free:
            raise BenchError(
                f"{partition.folder}: {len(partition):,} words of {shape.width}×{shape.height} "
                f"take {required / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free; free some "
                "space or set a smaller shape"
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
