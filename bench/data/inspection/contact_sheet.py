"""A contact sheet: samples of a data set as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from bench.data.inputs.pixel_values import denormalize
from bench.data.inspection.native_input import native_input
from bench.data.reading.loading import read_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.core.components import Dataset
    from bench.core.model_input import Normalization
    from bench.core.types import Batch, Split
    from bench.data.inputs.images import Pixels

_CLIP_DIMENSIONS = 5
_COLUMNS = 4
_CELL = (300, 96)
_TEXT = 18
_MARGIN = 8
_FRAMES = 8
_WIDE = 6
_LARGEST = 8


class Shown(NamedTuple):
    """A sample: pixels (H, W, 3), and the text that is written below them."""

    id: str
    text: str
    pixels: Pixels


def samples(dataset: Dataset, split: Split, count: int) -> list[Shown]:
    """Return the first samples of an epoch of `split`, without the input of any network."""
    pipeline = dataset.open(native_input(dataset), dataset.label_encoder(None))
    batches, shown = pipeline.batches(split, count), list[Shown]()
    for index in range(len(batches)):
        batch = read_batch(pipeline, batches, index)
        several = zip(batch.ids, batch.texts, strict=True)
        shown += [Shown(name, text, pixels(batch, row)) for row, (name, text) in enumerate(several)]
        if len(shown) >= count:
            break
    return shown[:count]


def pixels(
    batch: Batch, row: int, frames: int = _FRAMES, normalization: Normalization | None = None
) -> Pixels:
    """Return a sample of a batch without its padding, as an image (H, W, 3) of bytes.

    Args:
        batch: Images, or clips.
        row: The sample.
        frames: Of a clip, at most so many frames are put side by side: the middle ones of stretches
            that divide it evenly.
        normalization: That of the input. None: `signed` where the batch has negative values, else
            `unit`.
    """
    values = batch.inputs[row]
    if normalization is None:
        # Of the whole batch: a pale image in [-1, 1] may have no value below 0.
        normalization = "signed" if bool(batch.inputs.min() < 0) else "unit"
    length = int(batch.lengths[row])
    if batch.inputs.ndim != _CLIP_DIMENSIONS:
        return _bytes(values[..., :length], normalization)
    count = min(length, frames)
    cells = [values[(2 * n + 1) * length // (2 * count)] for n in range(count)]
    return _bytes(torch.cat(cells, -1), normalization)


def _bytes(values: torch.Tensor, normalization: Normalization) -> Pixels:
    """Return an image (channels, H, W) of a range as (H, W, 3) bytes."""
    unit = denormalize(values, normalization)
    shown = unit.mul(255).round().clamp(0, 255).to(torch.uint8).movedim(0, -1)
    return np.ascontiguousarray(shown.expand(-1, -1, 3).numpy())


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
