"""The transform of clips: fixed in tests, random in training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput
from bench.core.types import InputShape
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.inputs import images
from bench.data.inputs.clip_transform import ClipTransform
from bench.data.raw.entries import Entry
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.store import data_dir as home
from bench.data.store import preparing

from ..conftest import Listed, finished, pipeline, same

FRAMES = (5, 9, 40, 3)
SIZE, CROP = 24, 16
AUGMENTATION = SignLanguage()
TRANSFORM = ClipTransform(FrameInput(SIZE, CROP), (SIZE, SIZE), AUGMENTATION)


def frame(clip: int, number: int) -> bytes:
    """Return a frame as bright as its number in the clip; it darkens from left to right."""
    ramp = np.linspace(100, 0, SIZE) + 3 * number
    pixels = np.broadcast_to(ramp[None, :, None], (SIZE, SIZE, 3)) + 2 * clip
    return images.encode_jpeg(np.ascontiguousarray(pixels.astype(np.uint8)), 100)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedPipeline]:
    root = tmp_path_factory.mktemp("clips")

    def entry(clip: int, count: int) -> Entry:
        return Entry(f"clip{clip}", "A B", lambda: [frame(clip, n) for n in range(count)])

    entries = [entry(clip, count) for clip, count in enumerate(FRAMES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(home.VARIABLE, str(root))
        layout = Listed({"train": entries, "test": entries})
        preparing.prepare(layout, root, root / "words", lambda *_: None, clips=True)
        yield pipeline(TRANSFORM)


def drawn(clips: PreparedPipeline, epochs: int = 60) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every clip (T, 3, crop, crop) of some epochs with its name."""
    for epoch in range(epochs):
        for batch in finished(clips, "train", 2, epoch=epoch):
            for name, pixels, length in zip(batch.ids, batch.inputs, batch.lengths, strict=True):
                yield name, pixels[:length]


def numbers(name: str, shown: torch.Tensor) -> list[int]:
    """Return the numbers of frames of a clip, by their brightness."""
    bright = ((shown + 1) * 127.5).amax((1, 2, 3)) - 2 * int(name.removeprefix("clip"))
    return torch.round((bright - bright.min()) / 3).int().tolist()


def test_a_test_shows_the_middle_of_every_frame(clips: PreparedPipeline) -> None:
    batches = finished(clips, "test", 4)
    assert [batch.inputs.shape for batch in batches] == [(4, 40, 3, CROP, CROP)]
    [batch] = batches
    assert batch.lengths.tolist() == sorted(FRAMES)
    assert [truth.length for truth in clips.annotations("test")] == list(FRAMES)
    margin = (SIZE - CROP) // 2
    for place, name in enumerate(batch.ids):
        clip = int(name.removeprefix("clip"))
        for number in range(FRAMES[clip]):
            whole = images.decode_image(frame(clip, number), 3)
            middle = whole[margin : margin + CROP, margin : margin + CROP]
            wanted = torch.from_numpy(middle.copy()).movedim(-1, 0) / 127.5 - 1
            torch.testing.assert_close(batch.inputs[place, number], wanted)
        assert (batch.inputs[place, FRAMES[clip] :] == -1).all()


def test_frames_of_another_size_are_scaled_first(clips: PreparedPipeline) -> None:
    small = PreparedPipeline(
        clips.splits, clips.encoder, ClipTransform(FrameInput(12, 8), (SIZE, SIZE), AUGMENTATION)
    )
    assert small.batches("test", 1)[0].inputs.shape == (1, 3, 3, 8, 8)


@settings(max_examples=8)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 4), st.integers(0, 1))
def test_draws_depend_on_seed_epoch_and_sample(
    clips: PreparedPipeline, seed: int, epoch: int, size: int, other: int
) -> None:
    batches = clips.batches("train", size, seed=seed, epoch=epoch)
    again = clips.batches("train", size, seed=seed, epoch=epoch)
    for index in reversed(range(len(batches))):
        assert same(batches[index], again[index])
    moved = clips.batches("train", size, seed=seed + 1 - other, epoch=epoch + other)
    assert not all(map(same, batches, moved))


def test_training_flips_half_of_the_clips(clips: PreparedPipeline) -> None:
    # The left is bright unless a clip is flipped, which applies to all of its frames.
    left = [(shown[..., 0] > shown[..., -1]).float().mean() for _, shown in drawn(clips)]
    assert set(map(float, left)) == {0.0, 1.0}
    assert 0.35 < np.mean(left) < 0.65


def test_training_crops_at_random_positions(clips: PreparedPipeline) -> None:
    brightest = {
        round(float((shown[0].max() + 1) * 127.5))
        for name, shown in drawn(clips)
        if name == "clip0"
    }
    # A column is some four levels darker than the one before it; nine columns may be the first.
    assert len(brightest) >= 7


@pytest.mark.parametrize("model_input", [FrameInput(), FrameInput(SIZE), FrameInput(SIZE, SIZE)])
def test_without_augmentation_training_reads_whole_clips(
    clips: PreparedPipeline, model_input: FrameInput
) -> None:
    transform = ClipTransform(model_input, (SIZE, SIZE))
    whole = PreparedPipeline(clips.splits, clips.encoder, transform)
    for name, shown in drawn(whole, 3):
        assert shown.shape[2:] == (SIZE, SIZE)
        assert numbers(name, shown) == list(range(len(shown)))


@pytest.mark.parametrize("size", [0, SIZE])
def test_a_crop_of_oblong_frames_stays_within_them(size: int) -> None:
    transform = ClipTransform(FrameInput(size, 8), (10, 30), AUGMENTATION)
    assert transform.shape == InputShape(3, 8, 8)
    generator = np.random.default_rng(0)
    corners = {AUGMENTATION.crop_corner((2, 22), generator) for _ in range(400)}
    assert {row for row, _ in corners} == {0, 1, 2}
    assert {column for _, column in corners} == set(range(23))


def test_a_crop_larger_than_the_frame_is_refused() -> None:
    with pytest.raises(BenchError, match="crop = 9 is larger than size = 8; lower crop"):
        FrameInput(8, 9)


def test_training_rescales_time_and_keeps_the_order_of_frames(clips: PreparedPipeline) -> None:
    counts: dict[str, set[int]] = {}
    for name, shown in drawn(clips):
        counts.setdefault(name, set()).add(len(shown))
        chosen = numbers(name, shown)
        assert chosen == sorted(chosen)
        if len(shown) <= FRAMES[int(name.removeprefix("clip"))]:
            assert len(set(chosen)) == len(chosen)
    assert min(counts["clip2"]) in range(32, 36)
    assert max(counts["clip2"]) in range(45, 49)
    # A clip of fewer than 32 frames does not become shorter.
    assert counts["clip0"] == {5}
    assert min(counts["clip1"]) == 9
    assert max(counts["clip1"]) == 10


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 200, 230, 300])
def test_rescaled_clips_stay_within_bounds(count: int) -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        chosen = AUGMENTATION.choose_frames(count, generator)
        low, high = min(count, 32), max(count, 230)
        assert max(low, int(0.8 * count)) <= len(chosen) <= min(high, int(1.2 * count))
        assert set(chosen) <= set(range(count))
