"""Images that are near-duplicates, and images that are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.data.inputs.images import Pixels
from bench.data.inspection.near_duplicates import brightness_fingerprint, look_alike, similar_pairs


def word(text: str, seed: int = 0) -> Pixels:
    image = np.full((40, 160), 230, np.uint8)
    shift = int(np.random.default_rng(seed).integers(-3, 4))
    cv2.putText(image, text, (8 + shift, 30), 0, 1, 20, 2)
    return image


def encoded_again(image: Pixels) -> Pixels:
    content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


CHANGES = {
    "encoded": encoded_again,
    "scaled": lambda image: cv2.resize(image, (200, 50), interpolation=cv2.INTER_AREA),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(change: str) -> None:
    names = [f"{first}{second}ab" for first in "KLMNOPQR" for second in "cdefghij"]
    earlier = [word(name) for name in names]
    copy = np.asarray(CHANGES[change](earlier[11]), np.uint8)
    known = np.array([*map(brightness_fingerprint, earlier)], np.uint64)
    later = np.array(
        [brightness_fingerprint(word("other?")), brightness_fingerprint(copy)], np.uint64
    )
    found = dict(similar_pairs(known, later))
    assert 11 in found[1]
    alike = [place for place in found[1] if look_alike(earlier[place], copy)]
    assert alike == [11]
    assert not any(look_alike(earlier[place], word("other?")) for place in found.get(0, []))


def test_images_of_one_color_are_similar_to_none() -> None:
    blank = np.full((9, 30), 7, np.uint8)
    assert brightness_fingerprint(blank) == 0
    zeros = np.zeros(3, np.uint64)
    assert not [*similar_pairs(zeros, zeros)]
    assert not look_alike(blank, word("a"))


@pytest.mark.parametrize("distance", range(6))
def test_fingerprints_that_differ_by_three_bits_are_similar(distance: int) -> None:
    for seed in range(20):
        drawn = np.random.default_rng(seed)
        one = drawn.integers(1, 2**63, 1, np.uint64)
        flips = np.uint64(sum(1 << int(bit) for bit in drawn.permutation(64)[:distance]))
        assert bool([*similar_pairs(one, one ^ flips)]) == (distance <= 3)
