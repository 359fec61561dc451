"""Lines of one height."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.data.inputs import images
from bench.data.inputs.lines import Lines
from bench.data.store.prepared import Prepared

from ..conftest import Listed, jpeg, listed, source

Prepare = Callable[..., Prepared]


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_lines_are_as_wide_as_their_ratio_and_padded_with_their_last_column(
    prepare: Prepare,
) -> None:
    prepare(listed(6))
    one = source(Lines(16, (0, 0)))
    [batch] = one.batches("test", 6)
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
    [batch] = source(Lines(32, (16, 32))).batches("test", 1)
    assert batch.lengths.tolist() == [82]  # (100 + 64) · 32 / (32 + 32)
    line = batch.inputs[0, 0]
    assert (line[:8] == 1).all()
    assert (line[24:] == 1).all()
    assert (line[:, :16] == 1).all()
    assert (line[:, -16:] == 1).all()
    assert (line[8:24, 16:66] == 0).all()


def test_a_line_at_its_height_keeps_its_pixels(prepare: Prepare) -> None:
    prepare(listed(1))
    [batch] = source(Lines(31, (0, 0))).batches("test", 1)
    wanted = torch.from_numpy(images.decoded(jpeg(100, 40), 1).copy()).float() / 255
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
    [found] = Lines(rows, margin).columns(np.array([width]), np.array([height]))
    exact = (width + 2 * margin[1]) / (height + 2 * margin[0]) * rows
    assert found >= 1
    assert found == pytest.approx(max(exact, 1), abs=0.5 + 1e-9)


def test_lines_are_not_augmented(prepare: Prepare) -> None:
    prepare(listed(5, ["train"]))
    one = source(Lines(16, (2, 2)))
    first, second = (one.batches("train", 5, seed=seed)[0] for seed in (0, 1))
    assert first.ids == second.ids  # of one batch, sorted by length
    assert torch.equal(first.inputs, second.inputs)
