"""A contact sheet: samples of a dataset as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from bench.cli.render import text_table
from bench.nn.batch_views import time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.core.types import Batch, InputPipeline, Split
    from bench.data.inputs.images import Pixels

_COLUMNS = 4
_CELL = (300, 96)
_TEXT = 18
_MARGIN = 8
_FRAMES = 8
_WIDE = 6
_LARGEST = 8


class Shown(NamedTuple):
    """A sample as the network is shown it: pixels (H, W, 3), and what is written below them."""

    id: str
    text: str
    pixels: Pixels


def samples(source: InputPipeline, split: Split, count: int) -> list[Shown]:
    """Return the first samples of a pass over `split`: of `train`, as they are augmented."""
    batches, found = source.batches(split, count), []
    for index in range(len(batches)):
        found += _shown(batches[index], source.vocabulary)
        if len(found) >= count:
            break
    return found[:count]


def _shown(batch: Batch, vocabulary: Sequence[str]) -> list[Shown]:
    rows = []
    for row, name in enumerate(batch.ids):
        classes = batch.targets[row, : batch.target_lengths[row]].tolist()
        text = batch.texts[row] if batch.texts else "".join(vocabulary[c - 1] for c in classes)
        rows.append(Shown(name, text, pixels(batch, row)))
    return rows


def pixels(batch: Batch, row: int, frames: int = _FRAMES) -> Pixels:
    """Return a sample without its padding as (H, W, 3): of a clip, at most `frames` side by side.

    These are the middle ones of stretches that divide the clip evenly.
    """
    shown = batch.inputs[row]
    # Of the whole batch: a pale image in [-1, 1] may have no pixel below 0.
    signed = bool(batch.inputs.min() < 0)
    length = int(batch.lengths[row])
    if time_axis(batch.inputs) != 1:
        return _bytes(shown[..., :length], signed=signed)
    count = min(length, frames)
    cells = [shown[(2 * n + 1) * length // (2 * count)] for n in range(count)]
    return _bytes(torch.cat(cells, -1), signed=signed)


def _bytes(pixels: torch.Tensor, *, signed: bool) -> Pixels:
    """Return an image (channels, H, W) in [0, 1], or `signed` in [-1, 1], as (H, W, 3) bytes."""
    if signed:
        pixels = (pixels + 1) / 2
    found = pixels.mul(255).round().clamp(0, 255).to(torch.uint8).movedim(0, -1)
    return np.ascontiguousarray(found.expand(-1, -1, 3).numpy())


def listed(shown: Sequence[Shown]) -> str:
    """List samples: identity, size, what is to be read."""
    rows = [(one.id, f"{one.pixels.shape[1]}×{one.pixels.shape[0]}", one.text) for one in shown]
    return text_table.plain(("sample", "pixels", "to be read"), rows)


def sheet(shown: Sequence[Shown]) -> Image.Image:
    """Draw samples side by side, long ones one below the other, with their texts below."""
    wide = max(one.pixels.shape[1] / one.pixels.shape[0] for one in shown) > _WIDE
    columns, width = (1, _COLUMNS * _CELL[0]) if wide else (_COLUMNS, _CELL[0])
    pictures = [_fitted(Image.fromarray(one.pixels), width, _CELL[1]) for one in shown]
    text = (1 + max(one.text.count("\n") for one in shown)) * _TEXT + _MARGIN
    height = max(picture.height for picture in pictures) + text
    rows = -(-len(shown) // columns)
    size = (columns * (width + _MARGIN) + _MARGIN, rows * height + _MARGIN)
    drawn = Image.new("RGB", size, "white")
    font = ImageFont.load_default(_TEXT - 4)
    for place, (one, picture) in enumerate(zip(shown, pictures, strict=True)):
        left = _MARGIN + place % columns * (width + _MARGIN)
        top = _MARGIN + place // columns * height
        drawn.paste(picture, (left, top))
        words = Image.new("RGB", (width, text), "white")
        ImageDraw.Draw(words).text((0, 2), one.text, "black", font)
        drawn.paste(words, (left, top + picture.height))
    return drawn


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return `picture` as large as fits, at most eight times as large as it is."""
    scale = min(width / picture.width, height / picture.height, _LARGEST)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Image.Resampling.BILINEAR)
