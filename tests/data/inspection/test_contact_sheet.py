"""Contact sheets, and the pixels of one sample."""

from __future__ import annotations

import numpy as np
import torch

from bench.core.types import Batch
from bench.data.inspection import contact_sheet as sheets


def batch(inputs, lengths):
    none = torch.zeros(len(lengths), 0, dtype=torch.int64)
    return Batch(inputs, torch.tensor(lengths), none, none.sum(1), none, ("a", "b"))


def test_a_long_clip_shows_the_middle_frames_of_equal_segments():
    frames = torch.arange(12.0).view(1, 12, 1, 1, 1).expand(2, -1, 1, 2, 2) / 255
    clips = batch(frames, [12, 9])
    assert sheets.batch_pixels(clips, 0, 4)[0, ::2, 0].tolist() == [1, 4, 7, 10]
    assert sheets.batch_pixels(clips, 1, 3)[0, ::2, 0].tolist() == [1, 4, 7]
    assert sheets.batch_pixels(clips, 1, 20)[0, ::2, 0].tolist() == [*range(9)]


def test_a_bright_image_keeps_its_values():
    images = torch.stack([torch.full((1, 4, 10), -1.0), torch.full((1, 4, 10), 0.6)])
    assert {*sheets.batch_pixels(batch(images, [10, 10]), 1).flatten().tolist()} == {204}


def test_padding_of_an_image_is_not_shown():
    images = torch.full((2, 1, 4, 10), -1.0)
    assert sheets.batch_pixels(batch(images, [10, 7]), 1).shape == (4, 7, 3)


def test_every_line_of_a_text_fits_into_its_cell():
    pixels = np.full((30, 60, 3), 255, np.uint8)
    one, three = (
        [sheets.CaptionedSample("a", text, pixels)] * 2 for text in ("W" * 99, "W" * 99 + "\n\nW")
    )
    low, high = (np.asarray(sheets.draw_contact_sheet(shown)) for shown in (one, three))
    assert len(high) - len(low) == 36
    assert (low.min(2) < 128)[:, :308].any()
    assert not (low.min(2) < 255)[:, 308:316].any()
