"""Attention maps of a sequence-to-sequence network, one per symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from bench.core.errors import BenchError
from bench.decoding.algorithms.best_path import decode_seq2seq
from bench.diagnostics import canvas
from bench.nn.feedback import Greedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.types import Attentive
    from bench.data.inputs.images import Pixels
    from bench.diagnostics.finished import FinishedEvaluation

_MAX_WIDTH, _MAX_HEIGHT = 1000, 96
_SYMBOL_MS, _LAST_MS = 350, 2000
_FONT_SIZE = 20
_MARGIN = 8
_MAX_OPACITY = 0.75
_MAX_FRAMES = 8


@dataclass(frozen=True)
class AttentionMaps:
    """The symbols that were read on an image, and the attention map of each.

    Attributes:
        pixels: The image, (H, W, 3).
        symbols: The S predicted symbols.
        maps: One attention map per symbol at the size of the image, scaled to a maximum of 1,
            (S, H, W); if no symbol was predicted, the map of the end of sequence, (1, H, W).
    """

    pixels: Pixels
    symbols: list[str]
    maps: NDArray[np.float32]


def attention_maps(evaluation: FinishedEvaluation, identity: str) -> AttentionMaps:
    """Read one sample with the network, in the same batch as in the evaluation.

    Raises:
        BenchError: The model has no attention maps.
    """
    network = evaluation.network
    if not hasattr(network.model, "attend"):
        raise BenchError(
            f"model '{evaluation.training.model.name}' has no attention maps to draw; leave "
            "--attention out, or choose an evaluation of a model that has them, such as "
            "htr-seq2seq-light"
        )
    batch, row = evaluation.sample(identity)
    with torch.inference_mode():
        model = cast("Attentive", network.model)
        features, maps = model.attend(batch.inputs, batch.lengths, Greedy(network.head))
        logits = network.head(features.sequence[row : row + 1])
    [labels] = decode_seq2seq(logits, torch.tensor([logits.shape[1]])).labels
    tokens = ("", *evaluation.vocabulary)
    size = (batch.inputs.shape[2], batch.inputs.shape[3])
    large = enlarge_maps(maps[row, : max(len(labels), 1)], model.cell, size)
    return AttentionMaps(
        pixels=evaluation.pixels(identity, _MAX_FRAMES),
        symbols=[tokens[label] for label in labels],
        maps=large[..., : int(batch.lengths[row])],
    )


def enlarge_maps(maps: Tensor, cell: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return attention maps at the size of their image (S, H, W), scaled to a maximum of 1.

    Args:
        maps: Attention maps of the network, (S, H', W').
        cell: Height and width in pixels of the cell of each value. Cells are side by side from the
            upper left corner. Pixels outside of all cells get 0; cells are cropped at the border
            of the image.
        size: Height and width of the image.
    """
    height, width = size
    high, wide = maps.shape[1] * cell[0], maps.shape[2] * cell[1]
    channels = maps.float().unsqueeze(1)
    large = functional.interpolate(channels, (high, wide), mode="bilinear").squeeze(1)
    large = functional.pad(large, (0, width - wide, 0, height - high))
    return (large / large.amax((1, 2), keepdim=True)).numpy()


def draw(evaluation: FinishedEvaluation, samples: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw each sample as an animation with one frame per symbol, and as a strip of all frames.

    Raises:
        BenchError: The model has no attention maps.
    """
    for row in evaluation.choose_samples(samples):
        identity = row["id"]
        attention = attention_maps(evaluation, identity)
        symbols, separator = attention.symbols, evaluation.protocol.separator
        overlays = [_overlay(attention.pixels, values) for values in attention.maps]
        frames = [
            _frame(overlay, symbols, step, separator) for step, overlay in enumerate(overlays)
        ]
        times = [_SYMBOL_MS] * (len(frames) - 1) + [_LAST_MS]
        gif = folder / canvas.picture_file_name("attention", identity, "gif")
        yield canvas.write_gif(gif, frames, times)
        strip = folder / canvas.picture_file_name("attention", identity, "png")
        yield canvas.write_png(strip, _strip(overlays, symbols))


def _overlay(pixels: Pixels, attention: NDArray[np.float32]) -> Image.Image:
    """Tint an image by an attention map (H, W), and scale it."""
    tint = np.array([*bytes.fromhex(canvas.ACCENT[1:])], np.float32)
    weight = _MAX_OPACITY * attention[..., np.newaxis]
    mixed = pixels * (1 - weight) + tint * weight
    scale = min(_MAX_WIDTH / pixels.shape[1], _MAX_HEIGHT / pixels.shape[0])
    size = (round(pixels.shape[1] * scale), max(round(pixels.shape[0] * scale), 1))
    picture = Image.fromarray(mixed.round().astype(np.uint8))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _frame(overlay: Image.Image, symbols: Sequence[str], step: int, separator: str) -> Image.Image:
    """Return an image with the symbols up to a step below it, the last of them in color.

    If the symbols are wider than the image, only their end is visible.
    """
    font = canvas.pillow_font(_FONT_SIZE)
    height = overlay.height + 2 * _MARGIN + _FONT_SIZE
    frame = Image.new("RGB", (overlay.width, height), "white")
    frame.paste(overlay, (0, 0))
    draw, top = ImageDraw.Draw(frame), overlay.height + _MARGIN
    before = "".join(symbol + separator for symbol in symbols[:step])
    current = symbols[step] if symbols else "(nothing)"
    left = min(frame.width - draw.textlength(before + current, font), 0)
    draw.text((left, top), before, "black", font)
    draw.text((left + draw.textlength(before, font), top), current, canvas.ACCENT, font)
    return frame


def _strip(overlays: Sequence[Image.Image], symbols: Sequence[str]) -> Image.Image:
    """Stack the overlays of all steps, each with its symbol on the left."""
    font = canvas.pillow_font(_FONT_SIZE)
    width, height = overlays[0].size
    left = 2 * _FONT_SIZE
    strip = Image.new("RGB", (left + width, len(overlays) * (height + 2)), "white")
    draw = ImageDraw.Draw(strip)
    for step, overlay in enumerate(overlays):
        top = step * (height + 2)
        strip.paste(overlay, (left, top))
        symbol = canvas.visible_token(symbols[step]) if symbols else ""
        draw.text((left // 2, top + height // 2), symbol, "black", font, anchor="mm")
    return strip
