"""Words at one size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.inputs.words import GREY, Words, normalised
from bench.data.store import caching
from bench.data.store.prepared import Prepared

from ..conftest import Listed, jpeg, listed, same, source

Prepare = Callable[..., Prepared]
GREY_SHOWN = GREY / 127.5 - 1


def test_words_are_stretched_to_one_size(prepare: Prepare) -> None:
    prepare(listed(5))
    batch = source(Words(InputShape(1, 32, 100))).batches("test", 5)[0]
    assert batch.inputs.shape == (5, 1, 32, 100)
    assert batch.lengths.tolist() == [100] * 5
    assert batch.inputs.min() >= -1
    assert batch.inputs.max() <= 1
    wanted = images.resized(images.decoded(jpeg(102, 46), 1), 100, 32)
    torch.testing.assert_close(batch.inputs[2, 0], torch.from_numpy(wanted / 127.5 - 1).float())


def test_the_ends_of_the_range_are_exact() -> None:
    found = normalised(np.array([0, 255], np.uint8).reshape(1, 1, 2, 1))
    assert found.tolist() == [[[[-1.0, 1.0]]]]


def test_colours_come_as_channels(prepare: Prepare) -> None:
    prepare(listed(2))
    found = source(Words(InputShape(3, 16, 40))).batches("test", 2)[0].inputs
    assert found.shape == (2, 3, 16, 40)
    wanted = images.resized(images.decoded(jpeg(100, 40), 3), 40, 16)
    torch.testing.assert_close(found[0, 2], torch.from_numpy(wanted[:, :, 2] / 127.5 - 1).float())


@pytest.mark.parametrize("channels", [1, 3])
def test_where_ratios_are_kept_the_rest_is_grey(prepare: Prepare, channels: int) -> None:
    layout = Listed({"test": []})
    widths = [8, 31, 60, 400]
    layout.samples["test"] = [layout.image(str(w), "a", jpeg(w, w)) for w in widths]
    prepare(layout)
    one = source(Words(InputShape(channels, 62, 150), keep_ratio=True))
    batch = one.batches("test", 4)[0]
    assert batch.lengths.tolist() == [16, 62, 120, 150]
    assert [truth.length for truth in one.annotations("test")] == [16, 62, 120, 150]
    for pixels, length in zip(batch.inputs, batch.lengths.tolist(), strict=True):
        assert pixels.shape == (channels, 62, 150)
        torch.testing.assert_close(
            pixels[..., length:], torch.full_like(pixels[..., length:], GREY_SHOWN)
        )
        assert pixels[..., :length].std() > 0.1


@given(st.integers(1, 3000), st.integers(1, 500), st.integers(1, 64), st.integers(1, 300))
def test_a_kept_ratio_leaves_a_column_and_no_more_than_there_are(
    width: int, height: int, rows: int, columns: int
) -> None:
    view = Words(InputShape(1, rows, columns), keep_ratio=True)
    [found] = view.columns(np.array([width]), np.array([height]))
    assert 1 <= found <= columns
    assert abs(found - np.clip(width * rows / height, 1, columns)) <= 0.5 + 1e-9


@pytest.mark.parametrize("channels", [1, 3])
def test_the_cache_gives_the_same_bits(prepare: Prepare, channels: int) -> None:
    prepare(listed(9))
    view = Words(InputShape(channels, 32, 100))
    wanted = list(source(view).batches("train", 4, seed=1))
    caching.keep("words", view.shape, lambda *_: None)
    one = source(view)
    assert all(map(same, one.batches("train", 4, seed=1), wanted))
    assert one.splits["train"].selections[0].partition.database is None


def test_the_cache_of_another_shape_is_not_read(prepare: Prepare) -> None:
    prepare(listed(3))
    caching.keep("words", InputShape(1, 16, 50), lambda *_: None)
    one = source(Words(InputShape(1, 32, 100)))
    assert one.batches("test", 3)[0].inputs.shape == (3, 1, 32, 100)
    kept = source(Words(InputShape(1, 16, 50), keep_ratio=True))
    assert kept.batches("test", 3)[0].lengths.tolist() == [21, 22, 24]


def test_words_are_not_augmented(prepare: Prepare) -> None:
    prepare(listed(4, ["train"]))
    one = source(Words(InputShape(1, 32, 100)))
    first, second = (one.batches("train", 4, epoch=epoch)[0] for epoch in (0, 1))
    assert first.ids != second.ids
    order = [second.ids.index(name) for name in first.ids]
    assert torch.equal(first.inputs, second.inputs[order])
