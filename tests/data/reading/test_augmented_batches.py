"""Augmented batches: a sample is the same in a batch of any size, read by any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from bench.core.components import ClipAugmentation, ImageAugmentation
from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput
from bench.core.types import EpochBatches
from bench.data.augmentation.handwriting import Handwriting
from bench.data.augmentation.scene_text import SceneText
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.inputs import images
from bench.data.inputs.clip_transform import ClipTransform
from bench.data.inputs.image_transform import ImageTransform
from bench.data.raw.entries import Entry
from bench.data.reading.loading import BatchLoader
from bench.data.reading.pipeline import PreparedPipeline, Transform
from bench.data.store import caching
from bench.data.store.prepared import Prepared

from ..conftest import Listed, listed, pipeline, same

Prepare = Callable[..., Prepared]
SCENE, LINES = SceneText(operations=6, probability=1.0), Handwriting(probability=0.8)
TRANSFORMS = {
    "words": ImageTransform(ImageInput(), SCENE),
    "colored words": ImageTransform(ImageInput(color=True), SCENE),
    "words whose ratio is kept": ImageTransform(ImageInput(keep_ratio=True), SCENE),
    "lines": ImageTransform(ImageInput(48, 0, margin=(4, 9)), LINES),
    "words of one size": ImageTransform(ImageInput(), LINES),
    "clips": ClipTransform(FrameInput(16, 12), (16, 16), SignLanguage()),
}
every = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


def clip(number: int) -> Entry:
    def load() -> list[bytes]:
        shape = (4 + 5 * number, 20, 20, 3)
        pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        return [images.encode_jpeg(frame) for frame in pixels]

    return Entry(f"clip{number}", "Word", load)


@pytest.fixture
def opened(prepare: Prepare) -> Callable[[Transform], PreparedPipeline]:
    """Return a function that opens words or clips with a transform."""
    prepare(listed(13, ["train", "validation", "test"]))
    parts = {part: [clip(n) for n in range(9)] for part in ("train", "validation", "test")}
    prepare(Listed(parts), "clips", clips=True)

    def run(transform: Transform) -> PreparedPipeline:
        return pipeline(transform, "clips" if isinstance(transform, ClipTransform) else "words")

    return run


def by_id(batches: EpochBatches) -> dict[str, torch.Tensor]:
    """Return the valid part of each sample by its id."""
    samples = {}
    for index in reversed(range(len(batches))):
        batch = batches[index]
        for name, values, length in zip(batch.ids, batch.inputs, batch.lengths, strict=True):
            clip = batch.inputs.ndim > 4
            samples[name] = values[:length] if clip else values[..., :length]
    return samples


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[bool]:
    assert one.keys() == other.keys()
    return [torch.equal(one[name], other[name]) for name in one]


@every
def test_a_sample_depends_on_neither_batch_size_nor_order(opened, transform) -> None:
    one = opened(transform)
    wanted = by_id(one.batches("train", 4, seed=3, epoch=2))
    for size in (1, 5, 99):
        assert all(equal(wanted, by_id(one.batches("train", size, seed=3, epoch=2))))
    for seed, epoch in ((3, 1), (4, 2)):
        assert sum(equal(wanted, by_id(one.batches("train", 4, seed=seed, epoch=epoch)))) <= 2


@pytest.mark.parametrize("name", [pytest.param("words", marks=pytest.mark.slow), "lines", "clips"])
def test_workers_read_the_same_batches(opened, name) -> None:
    one = opened(TRANSFORMS[name])
    batches = one.batches("train", 4, seed=1, epoch=1)
    with BatchLoader(one, 2, "cpu") as ahead, BatchLoader(one, 0, "cpu") as alone:
        assert all(map(same, ahead.read(batches), alone.read(batches)))


@every
def test_only_the_split_train_is_augmented(opened, transform) -> None:
    plain = type(transform)(transform.input, *([(16, 16)] if hasattr(transform, "frame") else []))
    for split in ("validation", "test"):
        pairs = (opened(each).batches(split, 5, seed=1) for each in (transform, plain))
        assert all(map(same, *pairs))
    changed, unchanged = (by_id(opened(each).batches("train", 5)) for each in (transform, plain))
    if isinstance(transform, ImageTransform):
        assert [each.shape for each in changed.values()] == [
            each.shape for each in unchanged.values()
        ]
        pipe = opened(transform)
        lengths = {truth.id: truth.length for truth in pipe.annotations("train")}
        assert {name: each.shape[-1] for name, each in changed.items()} == lengths
    differing = [name for name in changed if not torch.equal(changed[name], unchanged[name])]
    assert len(differing) >= len(changed) - 2


@pytest.mark.parametrize("name", ["words", "colored words", "words of one size"])
def test_a_cache_of_decoded_images_changes_no_bit(opened, name) -> None:
    transform = TRANSFORMS[name]
    wanted = list(opened(transform).batches("train", 4, seed=1, epoch=1))
    caching.write_decoded_cache("words", transform.shape, lambda *_: None)
    cached = opened(transform)
    assert all(map(same, cached.batches("train", 4, seed=1, epoch=1), wanted))
    # The cache is read if augmentation follows scaling, and not if it precedes scaling.
    database = cached.splits["train"].selections[0].partition.database
    assert (database is None) == (transform.augmentation.stage == "scaled")


@dataclass(frozen=True)
class Halved(ImageAugmentation):
    name: ClassVar[str] = "halved"

    def augment(self, pixels, _generator):
        return pixels[:, ::2]


@dataclass(frozen=True)
class Floating(ImageAugmentation):
    name: ClassVar[str] = "floating"

    def augment(self, pixels, _generator):
        return pixels / 255


@dataclass(frozen=True)
class Shortened(ClipAugmentation):
    name: ClassVar[str] = "shortened"

    def augment(self, frames, _generator):
        return frames[:, :, 1:]


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (
            ImageTransform(ImageInput(31, 0), Halved()),
            r"'halved' returned uint8 .* for uint8 .*; return uint8 of the same shape",
        ),
        (ImageTransform(ImageInput(32, 50), Floating()), r"'floating' returned float64 .* for"),
        (
            ClipTransform(FrameInput(16), (16, 16), Shortened()),
            r"'shortened' returned uint8 \(\d+, 16, 15, 3\) for uint8",
        ),
    ],
    ids=["halved", "floating", "shortened"],
)
def test_an_augmentation_that_changes_size_or_type_is_refused(opened, transform, message) -> None:
    batches = opened(transform).batches("train", 2)
    with pytest.raises(BenchError, match=message):
        batches[0]
