"""The transform of images of words and lines."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.model_input import ImageInput
from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.image_transform import GRAY, ImageTransform
from bench.data.store import caching
from bench.data.store.prepared import Prepared

from ..conftest import Listed, finished, jpeg, listed, pipeline, same

Prepare = Callable[..., Prepared]
WORDS = ImageTransform(ImageInput())
GRAY_VALUE = GRAY / 127.5 - 1


def test_words_are_stretched_to_one_size(prepare: Prepare) -> None:
    prepare(listed(5))
    batch = finished(pipeline(WORDS), "test", 5)[0]
    assert batch.inputs.shape == (5, 1, 32, 100)
    assert batch.lengths.tolist() == [100] * 5
    assert batch.inputs.min() >= -1
    assert batch.inputs.max() <= 1
    wanted = images.resize_pixels(images.decode_image(jpeg(102, 46), 1), 100, 32)
    torch.testing.assert_close(batch.inputs[2, 0], torch.from_numpy(wanted / 127.5 - 1).float())


def test_colors_come_as_channels(prepare: Prepare) -> None:
    prepare(listed(2))
    one = pipeline(ImageTransform(ImageInput(16, 40, color=True)))
    found = finished(one, "test", 2)[0].inputs
    assert found.shape == (2, 3, 16, 40)
    wanted = images.resize_pixels(images.decode_image(jpeg(100, 40), 3), 40, 16)
    torch.testing.assert_close(found[0, 2], torch.from_numpy(wanted[:, :, 2] / 127.5 - 1).float())


@pytest.mark.parametrize("channels", [1, 3])
def test_words_with_their_ratio_are_padded_with_gray(prepare: Prepare, channels: int) -> None:
    layout = Listed({"test": []})
    widths = [8, 31, 60, 400]
    layout.samples["test"] = [layout.image(str(w), "a", jpeg(w, w)) for w in widths]
    prepare(layout)
    one = pipeline(ImageTransform(ImageInput(62, 150, color=channels == 3, keep_ratio=True)))
    batch = finished(one, "test", 4)[0]
    assert batch.lengths.tolist() == [16, 62, 120, 150]
    assert [truth.length for truth in one.annotations("test")] == [16, 62, 120, 150]
    for pixels, length in zip(batch.inputs, batch.lengths.tolist(), strict=True):
        assert pixels.shape == (channels, 62, 150)
        torch.testing.assert_close(
            pixels[..., length:], torch.full_like(pixels[..., length:], GRAY_VALUE)
        )
        assert pixels[..., :length].std() > 0.1


@given(st.integers(1, 3000), st.integers(1, 500), st.integers(1, 64), st.integers(1, 300))
def test_a_kept_ratio_has_at_least_one_column_and_at_most_the_width(
    width: int, height: int, rows: int, columns: int
) -> None:
    transform = ImageTransform(ImageInput(rows, columns, keep_ratio=True))
    [found] = transform.valid_columns(np.array([width]), np.array([height]))
    assert 1 <= found <= columns
    assert abs(found - np.clip(width * rows / height, 1, columns)) <= 0.5 + 1e-9


@pytest.mark.parametrize("channels", [1, 3])
def test_the_cache_gives_the_same_bits(prepare: Prepare, channels: int) -> None:
    prepare(listed(9))
    transform = ImageTransform(ImageInput(color=channels == 3))
    wanted = list(pipeline(transform).batches("train", 4, seed=1))
    caching.write_decoded_cache("words", transform.shape, lambda *_: None)
    one = pipeline(transform)
    assert all(map(same, one.batches("train", 4, seed=1), wanted))
    assert one.splits["train"].selections[0].partition.database is None


def test_the_cache_of_another_shape_is_not_read(prepare: Prepare) -> None:
    prepare(listed(3))
    caching.write_decoded_cache("words", InputShape(1, 16, 50), lambda *_: None)
    one = pipeline(WORDS)
    assert one.batches("test", 3)[0].inputs.shape == (3, 1, 32, 100)
    kept = pipeline(ImageTransform(ImageInput(16, 50, keep_ratio=True)))
    assert kept.batches("test", 3)[0].lengths.tolist() == [21, 22, 24]


def test_words_are_not_augmented(prepare: Prepare) -> None:
    prepare(listed(4, ["train"]))
    one = pipeline(WORDS)
    first, second = (one.batches("train", 4, epoch=epoch)[0] for epoch in (0, 1))
    assert first.ids != second.ids
    order = [second.ids.index(name) for name in first.ids]
    assert torch.equal(first.inputs, second.inputs[order])


def lines_of(height: int, margin: tuple[int, int] = (0, 0)) -> ImageTransform:
    """Return a transform to gray lines in [0, 1] of varying width."""
    return ImageTransform(ImageInput(height, 0, normalization="unit", margin=margin))


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_lines_are_as_wide_as_their_ratio_and_padded_with_their_last_column(
    prepare: Prepare,
) -> None:
    prepare(listed(6))
    one = pipeline(lines_of(16))
    [batch] = finished(one, "test", 6)
    wanted = np.rint(np.arange(40, 58, 3) * 16 / 31).astype(int).tolist()
    assert batch.lengths.tolist() == wanted
    assert [annotation.length for annotation in one.annotations("test")] == wanted
    assert batch.inputs.shape == (6, 1, 16, wanted[-1])
    assert 0 <= batch.inputs.min() < batch.inputs.max() <= 1
    for line, length in zip(batch.inputs, wanted, strict=True):
        padding = line[..., length:]
        assert torch.equal(padding, line[..., length - 1 :][..., :1].expand_as(padding))


def test_a_margin_is_white_and_scaled_with_the_scan(prepare: Prepare) -> None:
    layout = Listed({"test": []})
    layout.samples["test"] = [layout.image("a", "a", png(np.zeros((32, 100), np.uint8)))]
    prepare(layout)
    [batch] = finished(pipeline(lines_of(32, (16, 32))), "test", 1)
    assert batch.lengths.tolist() == [82]  # (100 + 64) · 32 / (32 + 32)
    line = batch.inputs[0, 0]
    assert (line[:8] == 1).all()
    assert (line[24:] == 1).all()
    assert (line[:, :16] == 1).all()
    assert (line[:, -16:] == 1).all()
    assert (line[8:24, 16:66] == 0).all()


def test_a_line_at_its_height_keeps_its_pixels(prepare: Prepare) -> None:
    prepare(listed(1))
    [batch] = finished(pipeline(lines_of(31)), "test", 1)
    wanted = torch.from_numpy(images.decode_image(jpeg(100, 40), 1).copy()).float() / 255
    assert torch.equal(batch.inputs[0, 0], wanted)


@given(
    st.integers(1, 4000),
    st.integers(1, 400),
    st.integers(1, 128),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_columns_follow_the_ratio_with_its_margin(
    width: int, height: int, rows: int, margin: tuple[int, int]
) -> None:
    [found] = lines_of(rows, margin).valid_columns(np.array([width]), np.array([height]))
    exact = (width + 2 * margin[1]) / (height + 2 * margin[0]) * rows
    assert found >= 1
    assert found == pytest.approx(max(exact, 1), abs=0.5 + 1e-9)


def test_lines_are_not_augmented(prepare: Prepare) -> None:
    prepare(listed(5, ["train"]))
    one = pipeline(lines_of(16, (2, 2)))
    first, second = (one.batches("train", 5, seed=seed)[0] for seed in (0, 1))
    assert first.ids == second.ids  # of one batch, sorted by length
    assert torch.equal(first.inputs, second.inputs)


def test_lines_of_three_channels_are_padded_like_gray_ones(prepare: Prepare) -> None:
    prepare(listed(6))
    inputs = (ImageInput(16, 0, color=color, margin=(2, 3)) for color in (False, True))
    [gray], [color] = (pipeline(ImageTransform(each)).batches("test", 6) for each in inputs)
    assert color.inputs.shape == (6, 3, *gray.inputs.shape[2:])
    assert color.lengths.tolist() == gray.lengths.tolist()
    for line, length in zip(color.inputs, color.lengths.tolist(), strict=True):
        padding = line[..., length:]
        assert torch.equal(padding, line[..., length - 1 : length].expand_as(padding))


def test_a_margin_is_stretched_with_the_word(prepare: Prepare) -> None:
    layout = Listed({"test": []})
    layout.samples["test"] = [layout.image("a", "a", png(np.zeros((16, 40), np.uint8)))]
    prepare(layout)
    one = pipeline(ImageTransform(ImageInput(32, 80, margin=(8, 20))))
    [batch] = finished(one, "test", 1)
    image = batch.inputs[0, 0]
    assert (image[8:24, 20:60] == -1).all()
    assert (image[:8] == 1).all()
    assert (image[:, 60:] == 1).all()


def test_a_margin_is_not_read_from_the_cache(prepare: Prepare) -> None:
    prepare(listed(3))
    transform = ImageTransform(ImageInput(margin=(3, 3)))
    before = pipeline(transform).batches("test", 3)[0]
    caching.write_decoded_cache("words", transform.shape, lambda *_: None)
    assert same(pipeline(transform).batches("test", 3)[0], before)
