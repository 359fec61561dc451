"""Images of two splits that look alike: copies that were encoded again or scaled.

Each image is identified by 64 bits of its brightness, so that millions of samples take little
memory; images with similar bits are compared by their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.data.inputs import images
from bench.data.inputs.images import Pixels

_SIDE = 8
_MAX_BITS = 3
"""By how many bits two images may differ to be compared; of four bands, one is then the same."""
_BAND = 16
_MAX_COMPARED = 1000
"""Images of an earlier split that one image is compared with."""
_SIZE = (128, 32)
_CORRELATION = 0.98

Fingerprints = NDArray[np.uint64]


def brightness_fingerprint(pixels: Pixels) -> int:
    """Return 64 bits that say where an image (H, W) grows brighter from left to right.

    It is 0 where the image is of one color.
    """
    small = images.resize_pixels(pixels, _SIDE + 1, _SIDE).astype(np.int16)
    # Noise of a JPEG in an area of one brightness is no edge.
    margin = (small.max() - small.min()) // 16
    bits = small[:, 1:] > small[:, :-1] + margin
    return int(np.packbits(bits).view(np.uint64)[0])


def similar_pairs(earlier: Fingerprints, later: Fingerprints) -> Iterator[tuple[int, list[int]]]:
    """Yield each index into `later` with those into `earlier` whose fingerprints are alike."""
    alike: dict[int, set[int]] = {}
    for band in range(0, 64, _BAND):
        keys = (earlier >> np.uint64(band)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        wanted = (later >> np.uint64(band)).astype(np.uint16)
        starts = np.searchsorted(keys, wanted, "left", order)
        ends = np.searchsorted(keys, wanted, "right", order)
        for index in np.flatnonzero((starts < ends) & (later != 0)).tolist():
            near = order[starts[index] : ends[index]][:_MAX_COMPARED]
            if (found := near[_distances(earlier[near], later[index]) <= _MAX_BITS]).size:
                alike.setdefault(index, set()).update(found.tolist())
    yield from ((index, sorted(alike[index])) for index in sorted(alike))


def look_alike(one: Pixels, other: Pixels) -> bool:
    """Return whether two images (H, W) show the same, whatever their sizes."""
    pair = [
        images.resize_pixels(pixels, *_SIZE).astype(np.float64).ravel() for pixels in (one, other)
    ]
    first, second = (values - values.mean() for values in pair)
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    return bool(first @ second > _CORRELATION * scale)


def _distances(several: Fingerprints, one: np.uint64) -> NDArray[np.int64]:
    """Return in how many bits each of several fingerprints differs from one."""
    bits = np.unpackbits((several ^ one).view(np.uint8).reshape(-1, 8), axis=1)
    return np.asarray(bits.sum(1), np.int64)
