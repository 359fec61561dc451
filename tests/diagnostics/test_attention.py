"""Attention maps at the size of their image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BenchError
from bench.diagnostics import attention


def test_a_value_of_a_map_covers_its_cell_of_the_image():
    maps = torch.zeros(1, 2, 5)
    maps[0, 1, 3] = 1
    [large] = attention.enlarge_maps(maps, (4, 4), (9, 22))  # a row and two columns left over
    assert large.shape == (9, 22)
    assert large.max() == 1
    rows, columns = np.nonzero(large == 1)
    assert {*rows} <= {*range(4, 8)}
    assert {*columns} <= {*range(12, 16)}
    assert not large[8].any()
    assert not large[:, 20:].any()


def test_a_map_is_cropped_at_the_border_of_the_image():
    maps = torch.zeros(1, 1, 13)
    maps[0, 0, 12] = 1
    [large] = attention.enlarge_maps(maps, (8, 8), (8, 100))
    assert large.shape == (8, 100)
    assert large[:, :92].max() < 1
    assert {*large.argmax(1)} == {99}


def test_symbols_are_those_of_the_evaluation_and_maps_have_the_size_of_the_image(evaluation):
    lines = evaluation("ce")
    for row in lines.rows:
        read = attention.attention_maps(lines, row["id"])
        assert "".join(read.symbols) == row["hypothesis"]
        assert read.maps.shape == (max(len(read.symbols), 1), *read.pixels.shape[:2])
        assert (read.maps.max((1, 2)) == 1).all()
        assert read.maps.min() >= 0


def test_an_animation_has_one_frame_per_symbol_and_a_strip_one_row_per_symbol(evaluation, tmp_path):
    lines = evaluation("ce")
    row = max(lines.rows, key=lambda row: len(row["hypothesis"]))
    gif, png = attention.draw(lines, [row["id"]], tmp_path)
    steps = max(len(row["hypothesis"]), 1)
    assert [gif.name, png.name] == [f"attention-{row['id']}.{end}" for end in ("gif", "png")]
    with Image.open(gif) as animation, Image.open(png) as strip:
        assert animation.n_frames == steps
        assert animation.info["loop"] == 0
        animation.seek(steps - 1)
        assert animation.info["duration"] == 2000
        high = animation.height - 36
        assert strip.size == (animation.width + 40, steps * (high + 2))


def test_a_model_without_attention_maps_is_refused(evaluation, tmp_path):
    with pytest.raises(BenchError, match="model 'htr-ctc' has no attention maps"):
        [*attention.draw(evaluation("ctc"), [], tmp_path)]
