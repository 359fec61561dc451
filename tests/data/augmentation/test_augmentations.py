"""The draws of augmentations, and what they must not change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core import registry
from bench.core.components import ClipAugmentation, ImageAugmentation
from bench.core.schema import SchemaError
from bench.data.augmentation.abinet import ABINet
from bench.data.augmentation.handwriting import Handwriting
from bench.data.augmentation.operations.rand_augment import OPERATIONS
from bench.data.augmentation.scene_text import SceneText
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.reading.sample_generators import sample_generators

from .images import SHAPES, image

EVERY = {name: kind() for name, kind in registry.builtin("augmentation").items()}
OF_IMAGES = {name: each for name, each in EVERY.items() if isinstance(each, ImageAugmentation)}
MILD = {"saturate", "contrast", "brighten", "solarize", "raise dark", "blur", "noise"}
MOVING = {"rotate", "shear x", "shear y", "translate x", "translate y"}
images = pytest.mark.parametrize("augmentation", OF_IMAGES.values(), ids=OF_IMAGES)


def draws(augmentation, pixels, count=40, seed=0):
    """Return an image as augmented in each of several epochs."""
    epochs = (sample_generators(seed, epoch, [0])[0] for epoch in range(count))
    return [augmentation.augment(pixels, generator) for generator in epochs]


def test_every_augmentation_is_of_images_or_of_clips():
    assert {*EVERY} >= {"abinet", "crnn-post", "handwriting", "scene-text", "sign-language"}
    for name, augmentation in EVERY.items():
        assert isinstance(augmentation, ImageAugmentation | ClipAugmentation)
        assert augmentation.spec()["name"] == name
        assert augmentation.accepts == ("image" if name in OF_IMAGES else "frames")


@images
@pytest.mark.parametrize("shape", [*SHAPES, (64, 900)])
def test_an_image_keeps_its_size_and_the_original_its_pixels(augmentation, shape):
    pixels = image(shape)
    before = pixels.copy()
    pixels.flags.writeable = False  # As those of a cache that is mapped from disk.
    for changed in draws(augmentation, pixels):
        assert changed.shape == shape
        assert changed.dtype == np.uint8
    assert (pixels == before).all()


@images
def test_draws_depend_on_seed_and_epoch(augmentation):
    pixels = image((32, 100, 3))
    first, again, other = (draws(augmentation, pixels, seed=seed) for seed in (1, 1, 2))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert not all((one == two).all() for one, two in zip(first, other, strict=True))
    assert len({changed.tobytes() for changed in first}) > 20


# The others draw noise or hues for each channel.
@pytest.mark.parametrize("augmentation", [SceneText(), Handwriting()], ids=lambda each: each.name)
def test_gray_and_color_images_get_the_same_geometry(augmentation):
    gray = image((32, 100))
    colored = np.stack([gray] * 3, -1)
    for one, three in zip(draws(augmentation, gray), draws(augmentation, colored), strict=True):
        assert np.abs(three - one[..., None].astype(int)).max() <= 2


@pytest.mark.parametrize(
    "augmentation",
    [
        SceneText(probability=0.0),
        ABINet(geometry=0.0, deterioration=0.0, jitter=0.0),
        Handwriting(probability=0.0),
    ],
    ids=lambda augmentation: augmentation.name,
)
def test_a_probability_of_zero_changes_nothing(augmentation):
    pixels = image((32, 100, 3))
    assert all(changed is pixels for changed in draws(augmentation, pixels))


@pytest.mark.parametrize("name", sorted(MILD | MOVING))
@pytest.mark.parametrize("shape", SHAPES)
def test_an_operation_at_level_zero_changes_nothing(name, shape):
    pixels = image(shape)
    for seed in range(8):
        changed = OPERATIONS[name](pixels, 0.0, np.random.default_rng(seed))
        assert (changed == pixels).all()


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_operation_keeps_size_and_type_at_every_level(name, channels):
    for seed, level in enumerate((0.0, 0.3, 0.5, 1.0)):
        for size in ((32, 100), (1, 5), (60, 9)):
            pixels = image((*size, *channels))
            changed = OPERATIONS[name](pixels, level, np.random.default_rng(seed))
            assert changed.shape == pixels.shape
            assert changed.dtype == np.uint8


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"autocontrast", "equalize", "invert"}))
def test_a_higher_level_changes_more(name):
    ramp = np.add.outer(np.arange(64), np.arange(200)).astype(np.uint8) // 2
    pixels = np.stack([ramp] * 3, -1) if name in MOVING else image((64, 200, 3))

    def change(level):
        seeds = map(np.random.default_rng, range(12))
        changed = [OPERATIONS[name](pixels, level, seed) for seed in seeds]
        return np.mean([np.abs(each.astype(int) - pixels).mean() for each in changed])

    assert change(0.15) < change(0.5) < change(1.0)


def test_operations_are_drawn_equally_often_and_without_repetition(monkeypatch):
    counts = Counter()

    def counting(name):
        def operation(pixels, level, generator):
            counts[name] += 1
            return pixels

        return operation

    for name in OPERATIONS:
        monkeypatch.setitem(OPERATIONS, name, counting(name))
    one = SceneText(operations=3, probability=1.0)
    pixels = image((4, 5))
    for number in range(400):
        before = counts.copy()
        one.augment(pixels, np.random.default_rng(number))
        drawn = counts - before
        assert drawn.total() == len(drawn) == 3
    assert 50 < min(counts.values()) <= max(counts.values()) < 105  # 75 each, on average.
    counts.clear()
    for number in range(400):
        SceneText(operations=16).augment(pixels, np.random.default_rng(number))
    assert counts.total() == pytest.approx(400 * 8, rel=0.03)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"operations": 0}, ">= 1"),
        ({"operations": 17}, "<= 16"),
        ({"magnitude": 10.5}, "<= 10"),
        ({"magnitude": -1}, ">= 0"),
        ({"probability": 2}, "<= 1"),
        ({"magnitud": 2}, "did you mean 'magnitude'"),
    ],
)
def test_parameters_are_checked(values, message):
    with pytest.raises(SchemaError, match=message):
        registry.make("augmentation", "scene-text", values)


def line_of_ink():
    """Return a line on white paper, with ink from end to end and paper above and below."""
    line = np.full((64, 960), 255, np.uint8)
    line[20:44, 24:-24] = 0
    return line


def test_no_ink_of_a_long_line_is_lost():
    line = line_of_ink()
    for changed in draws(Handwriting(probability=1.0), line, 60):
        dark = changed < (int(changed.max()) + int(changed.min())) / 2
        # There is still paper at both ends, and the height of ink is within the scales.
        assert not dark[:, :2].any()
        assert not dark[:, -2:].any()
        assert not dark[0].any()
        assert not dark[-1].any()
        assert 0.55 * 0.55 < dark.sum() / (line == 0).sum() < 1.4


def test_without_magnitude_handwriting_is_only_thicker_or_thinner():
    line = line_of_ink()
    still = Handwriting(magnitude=0.0, probability=1.0)
    for changed in draws(still, line, 20):
        assert {*np.unique(changed)} == {0, 255}
        rows = np.nonzero((changed == 0).any(1))[0]
        assert len(rows) in (23, 25)
    gentle = replace(still, magnitude=0.5)
    assert not any((changed == line).all() for changed in draws(gentle, line, 20))


@given(st.integers(0, 2**63), st.integers(1, 400))
def test_frames_keep_their_order_and_their_number_within_bounds(seed, count):
    [generator] = sample_generators(seed, 1, [5])
    chosen = SignLanguage().choose_frames(count, generator)
    assert (np.diff(chosen) >= 0).all()
    assert min(count, max(32, int(0.8 * count))) <= len(chosen) <= max(count, 230)
