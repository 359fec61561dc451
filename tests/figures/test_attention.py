"""Where a network looked, at the size of its image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BenchError
from bench.figures import attention


def test_a_map_covers_the_columns_and_rows_that_its_cells_stand_for():
    maps = torch.zeros(1, 2, 5)
    maps[0, 1, 3] = 1
    [shares] = attention.enlarged(maps, (4, 4), (9, 22))  # a row and two columns left over
    assert shares.shape == (9, 22)
    assert shares.max() == 1
    rows, columns = np.nonzero(shares == 1)
    assert {*rows} <= {*range(4, 8)}
    assert {*columns} <= {*range(12, 16)}
    assert not shares[8].any()
    assert not shares[:, 20:].any()


def test_a_map_may_reach_beyond_its_image():
    maps = torch.zeros(1, 1, 13)
    maps[0, 0, 12] = 1
    [shares] = attention.enlarged(maps, (8, 8), (8, 100))
    assert shares.shape == (8, 100)
    assert shares[:, :92].max() < 1
    assert {*shares.argmax(1)} == {99}


def test_symbols_are_those_that_were_read_and_maps_lie_on_the_image(trial):
    found = trial("ce")
    for row in found.rows:
        looks = attention.looks(found, row["id"])
        assert "".join(looks.symbols) == row["hypothesis"]
        assert looks.shares.shape == (max(len(looks.symbols), 1), *looks.pixels.shape[:2])
        assert (looks.shares.max((1, 2)) == 1).all()
        assert looks.shares.min() >= 0


def test_an_animation_has_a_frame_a_symbol_and_a_strip_a_row_a_symbol(trial, tmp_path):
    found = trial("ce")
    row = max(found.rows, key=lambda row: len(row["hypothesis"]))
    gif, png = attention.draw(found, [row["id"]], tmp_path)
    steps = max(len(row["hypothesis"]), 1)
    assert [gif.name, png.name] == [f"attention-{row['id']}.{end}" for end in ("gif", "png")]
    with Image.open(gif) as animation, Image.open(png) as strip:
        assert animation.n_frames == steps
        assert animation.info["loop"] == 0
        animation.seek(steps - 1)
        assert animation.info["duration"] == 2000
        high = animation.height - 36
        assert strip.size == (animation.width + 40, steps * (high + 2))


def test_a_model_that_shows_no_looks_is_named(trial, tmp_path):
    with pytest.raises(BenchError, match="model 'htr-ctc' of this trial has no attention"):
        [*attention.draw(trial("ctc"), [], tmp_path)]
