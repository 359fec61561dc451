"""Augmentations by name, and what each of them draws."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.data.augmentation import AUGMENTATIONS, NO_AUGMENTATION, find_augmentation


def test_a_wrong_name_names_the_nearest() -> None:
    with pytest.raises(BenchError, match="no augmentation 'sign-langage'; did you mean 'sign-l"):
        find_augmentation("sign-langage")


def test_every_augmentation_has_a_spec_of_its_own() -> None:
    specs = [find_augmentation(name).spec() for name in AUGMENTATIONS]
    assert [spec["name"] for spec in specs] == list(AUGMENTATIONS)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_generator_draws_the_same(name: str) -> None:
    augmentation, frames = find_augmentation(name), np.arange(2 * 3 * 4).reshape(2, 3, 4, 1)

    def draw(seed: int) -> list[object]:
        generator = np.random.default_rng(seed)
        return [
            augmentation.choose_frames(50, generator).tolist(),
            augmentation.crop_corner((30, 9), generator),
            augmentation.transform(frames, generator).tolist(),
        ]

    assert draw(3) == draw(3)
    assert (draw(3) == draw(4)) == (augmentation is NO_AUGMENTATION)


def test_none_draws_nothing() -> None:
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    assert NO_AUGMENTATION.choose_frames(4, generator).tolist() == [0, 1, 2, 3]
    assert NO_AUGMENTATION.crop_corner((5, 8), generator) == (2, 4)
    assert generator.bit_generator.state == before
