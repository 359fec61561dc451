"""Contact sheets: samples of a data set with their texts in one image."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from bench.core.model_input import FrameInput
from bench.core.printable import shortened
from bench.core.types import Batch
from bench.data.inputs.pixel_values import denormalize
from bench.data.inspection.native_input import native_input
from bench.data.reading.loading import read_batch
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.reading.sample_generators import sample_generators

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.core.components import Augmentation, Dataset
    from bench.core.model_input import Normalization
    from bench.core.types import Split
    from bench.data.inputs.images import Pixels

_CLIP_DIMENSIONS = 5
_COLUMNS = 4
_CELL = (300, 96)
_LINE_HEIGHT = 18
_MARGIN = 8
_FRAMES = 8
_CROP_RATIO = (7, 8)
"""That of VAC, which crops frames of 256 pixels to 224."""
_MIN_LINE_RATIO = 6
"""Samples with a larger ratio of width to height are drawn one per row."""
_MAX_SCALE = 8
_MAX_LINES = 4
"""Lines of text below a sample."""
_MAX_LETTERS = 300
"""Characters per line; fewer fit into the widest cell."""


class CaptionedSample(NamedTuple):
    """A sample: its id, the text that is written below it, and its pixels (H, W, 3)."""

    id: str
    text: str
    pixels: Pixels


def first_samples(dataset: Dataset, split: Split, count: int) -> list[CaptionedSample]:
    """Return the first samples of an epoch of `split` at their native size."""
    pipeline = dataset.open(native_input(dataset), dataset.label_encoder(None))
    batches, samples = pipeline.batches(split, count), list[CaptionedSample]()
    for index in range(len(batches)):
        batch = read_batch(pipeline, batches, index)
        several = zip(batch.ids, batch.texts, strict=True)
        samples += [
            CaptionedSample(name, text, batch_pixels(batch, row))
            for row, (name, text) in enumerate(several)
        ]
        if len(samples) >= count:
            break
    return samples[:count]


def augmented_samples(
    dataset: Dataset, split: Split, count: int, augmentation: Augmentation, epochs: int, seed: int
) -> list[CaptionedSample]:
    """Return the first samples of `split` in order, each followed by its augmented versions.

    Clips are cropped to 7/8 of the shorter side of their frames, so that crops can be seen.

    Args:
        dataset: A prepared data set.
        split: The split; a training augments only `train`.
        count: The number of samples.
        augmentation: The augmentation.
        epochs: The number of augmented versions, those of the first epochs of a training.
        seed: The seed of the batches of the training.
    """
    encoder, model_input = dataset.label_encoder(None), native_input(dataset)
    pipeline = dataset.open(model_input, encoder, augmentation)
    if not isinstance(pipeline, PreparedPipeline):
        raise TypeError(f"data set '{dataset.label}' is not read from stored samples")
    if isinstance(model_input, FrameInput):
        side = min(pipeline.input_shape[1:]) * _CROP_RATIO[0] // _CROP_RATIO[1]
        pipeline = dataset.open(replace(model_input, crop=side), encoder, augmentation)
        assert isinstance(pipeline, PreparedPipeline)  # noqa: S101 (as before)
    references = [*islice(pipeline.splits[split], count)]
    drawn = [
        pipeline.transform.read(
            references, sample_generators(seed, epoch, range(count)) if epoch else None
        )
        for epoch in range(epochs + 1)
    ]
    none = torch.zeros(len(references), 0, dtype=torch.int64)
    batches = [
        Batch(pipeline.finish(inputs), lengths, none, none.sum(1), none, ())
        for inputs, lengths in drawn
    ]
    return [
        CaptionedSample(
            reference.id, f"epoch {number}" if number else reference.text, batch_pixels(batch, row)
        )
        for row, reference in enumerate(references)
        for number, batch in enumerate(batches)
    ]


def batch_pixels(
    batch: Batch, row: int, frames: int = _FRAMES, normalization: Normalization | None = None
) -> Pixels:
    """Return a sample of a batch without its padding, as an image (H, W, 3) of bytes.

    Args:
        batch: Images, or clips.
        row: The row of the sample.
        frames: At most this many frames of a clip are put side by side: the middle frames of equal
            segments.
        normalization: The normalization of the input. None: `signed` if the batch has negative
            values, else `unit`.
    """
    values = batch.inputs[row]
    if normalization is None:
        # Tested on the whole batch, because a bright image in [-1, 1] may have no negative value.
        normalization = "signed" if bool(batch.inputs.min() < 0) else "unit"
    length = int(batch.lengths[row])
    if batch.inputs.ndim != _CLIP_DIMENSIONS:
        return _bytes(values[..., :length], normalization)
    count = min(length, frames)
    cells = [values[(2 * n + 1) * length // (2 * count)] for n in range(count)]
    return _bytes(torch.cat(cells, -1), normalization)


def _bytes(values: torch.Tensor, normalization: Normalization) -> Pixels:
    """Return a normalized image (channels, H, W) as uint8 (H, W, 3)."""
    unit = denormalize(values, normalization)
    samples = unit.mul(255).round().clamp(0, 255).to(torch.uint8).movedim(0, -1)
    return np.ascontiguousarray(samples.expand(-1, -1, 3).numpy())


def draw_contact_sheet(samples: Sequence[CaptionedSample], columns: int = _COLUMNS) -> Image.Image:
    """Draw samples in columns, or long ones in one column, with their texts below."""
    wide = (
        median(sample.pixels.shape[1] / sample.pixels.shape[0] for sample in samples)
        > _MIN_LINE_RATIO
    )
    columns, width = (1, _COLUMNS * _CELL[0]) if wide else (columns, _CELL[0])
    pictures = [_fitted(Image.fromarray(sample.pixels), width, _CELL[1]) for sample in samples]
    captions = [_fit_text(sample.text) for sample in samples]
    caption_height = (1 + max(caption.count("\n") for caption in captions)) * _LINE_HEIGHT + _MARGIN
    height = max(picture.height for picture in pictures) + caption_height
    rows = -(-len(samples) // columns)
    size = (columns * (width + _MARGIN) + _MARGIN, rows * height + _MARGIN)
    drawn = Image.new("RGB", size, "white")
    font = ImageFont.load_default(_LINE_HEIGHT - 4)
    for index, (words, picture) in enumerate(zip(captions, pictures, strict=True)):
        left = _MARGIN + index % columns * (width + _MARGIN)
        top = _MARGIN + index // columns * height
        drawn.paste(picture, (left, top))
        label = Image.new("RGB", (width, caption_height), "white")
        ImageDraw.Draw(label).text((0, 2), words, "black", font)
        drawn.paste(label, (left, top + picture.height))
    return drawn


def _fit_text(text: str) -> str:
    """Return the first lines of a text, printable and shortened."""
    lines = text[: _MAX_LINES * _MAX_LETTERS].split("\n")[:_MAX_LINES]
    return "\n".join(shortened(line, _MAX_LETTERS) for line in lines)


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return `picture` scaled to fit, by a factor of at most `_MAX_SCALE`."""
    scale = min(width / picture.width, height / picture.height, _MAX_SCALE)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Image.Resampling.BILINEAR)
