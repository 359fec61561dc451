"""Near-duplicates: images of two splits that are copies, encoded again or scaled.

Each image has a fingerprint of 64 bits, so that millions of samples take little memory; images with
similar fingerprints are compared by their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.data.inputs import images
from bench.data.inputs.images import Pixels

_SIDE = 8
_MAX_DISTANCE = 3
"""Bits by which fingerprints may differ; up to 3, one of the four bands is equal."""
_BAND_BITS = 16
_MAX_COMPARED = 1000
"""The number of images of an earlier split that an image is compared with, per band."""
_SIZE = (128, 32)
_CORRELATION = 0.98

Fingerprints = NDArray[np.uint64]


def brightness_fingerprint(pixels: Pixels) -> int:
    """Return 64 bits: whether brightness increases from left to right in each cell of 8×8.

    The fingerprint of an image (H, W) of one color is 0.
    """
    small = images.resize_pixels(pixels, _SIDE + 1, _SIDE).astype(np.int16)
    # Noise of JPEG in an area of equal brightness does not count as an increase.
    margin = (small.max() - small.min()) // 16
    bits = small[:, 1:] > small[:, :-1] + margin
    return int(np.packbits(bits).view(np.uint64)[0])


def similar_pairs(earlier: Fingerprints, later: Fingerprints) -> Iterator[tuple[int, list[int]]]:
    """Yield each index into `later` with the indices into `earlier` of similar fingerprints."""
    alike: dict[int, set[int]] = {}
    for band in range(0, 64, _BAND_BITS):
        earlier_keys = (earlier >> np.uint64(band)).astype(np.uint16)
        order = np.argsort(earlier_keys, kind="stable")
        later_keys = (later >> np.uint64(band)).astype(np.uint16)
        starts = np.searchsorted(earlier_keys, later_keys, "left", order)
        ends = np.searchsorted(earlier_keys, later_keys, "right", order)
        for index in np.flatnonzero((starts < ends) & (later != 0)).tolist():
            near = order[starts[index] : ends[index]][:_MAX_COMPARED]
            if (similar := near[_distances(earlier[near], later[index]) <= _MAX_DISTANCE]).size:
                alike.setdefault(index, set()).update(similar.tolist())
    yield from ((index, sorted(alike[index])) for index in sorted(alike))


def look_alike(image: Pixels, other: Pixels) -> bool:
    """Return whether two images (H, W), scaled to one size, have correlated pixels."""
    pair = [
        images.resize_pixels(pixels, *_SIZE).astype(np.float64).ravel() for pixels in (image, other)
    ]
    first, second = (values - values.mean() for values in pair)
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    return bool(first @ second > _CORRELATION * scale)


def _distances(several: Fingerprints, fingerprint: np.uint64) -> NDArray[np.int64]:
    """Return the Hamming distance of each of several fingerprints to one fingerprint."""
    bits = np.unpackbits((several ^ fingerprint).view(np.uint8).reshape(-1, 8), axis=1)
    return np.asarray(bits.sum(1), np.int64)
