"""The attention maps of a sequence-to-sequence network, symbol by symbol."""

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
    """What was read on an image, and the attention of each step.

    Attributes:
        pixels: The image (H, W, 3).
        symbols: The S symbols that were read.
        maps: One attention map per symbol (S, H, W) at the size of the image, the largest value of
            each being 1; only that of the end of sequence (1, H, W) where nothing was read.
    """

    pixels: Pixels
    symbols: list[str]
    maps: NDArray[np.float32]


def attention_maps(evaluation: FinishedEvaluation, identity: str) -> AttentionMaps:
    """Read one sample as in the evaluation.

    Raises:
        BenchError: The model has no attention maps.
    """
    network = evaluation.network
    if not hasattr(network.model, "attend"):
        raise BenchError(
            f"model '{evaluation.training.model.name}' has no attention maps of its image to draw; "
            "leave --attention out, or take a model that has them, such as htr-seq2seq-light"
        )
    batch, row = evaluation.sample(identity)
    with torch.inference_mode():
        model = cast("Attentive", network.model)
        features, maps = model.attend(batch.inputs, batch.lengths, Greedy(network.head))
        logits = network.head(features.sequence[row : row + 1])
    [labels] = decode_seq2seq(logits, torch.tensor([logits.shape[1]])).labels
    tokens = ("", *evaluation.vocabulary)
    size = (batch.inputs.shape[2], batch.inputs.shape[3])
    large = enlarged(maps[row, : max(len(labels), 1)], model.cell, size)
    return AttentionMaps(
        pixels=evaluation.pixels(identity, _MAX_FRAMES),
        symbols=[tokens[label] for label in labels],
        maps=large[..., : int(batch.lengths[row])],
    )


def enlarged(maps: Tensor, cell: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return attention maps at the size of their image, scaled so that the largest value is 1.

    Args:
        maps: (S, H', W').
        cell: The rows and columns in pixels that a value stands for. Cells lie side by side from
            the upper left corner; pixels outside of all cells get 0, and cells are cropped at the
            border of the image.
        size: The image's height and width.
    """
    height, width = size
    high, wide = maps.shape[1] * cell[0], maps.shape[2] * cell[1]
    channels = maps.float().unsqueeze(1)
    large = functional.interpolate(channels, (high, wide), mode="bilinear").squeeze(1)
    large = functional.pad(large, (0, width - wide, 0, height - high))
    return (large / large.amax((1, 2), keepdim=True)).numpy()


def draw(evaluation: FinishedEvaluation, samples: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw each sample as an animation with one frame per symbol, and as a strip of all frames."""
    for row in evaluation.choose(samples):
        identity = row["id"]
        attention = attention_maps(evaluation, identity)
        symbols, separator = attention.symbols, evaluation.protocol.separator
        overlays = [_overlay(attention.pixels, values) for values in attention.maps]
        frames = [
            _frame(overlay, symbols, step, separator) for step, overlay in enumerate(overlays)
        ]
        times = [_SYMBOL_MS] * (len(frames) - 1) + [_LAST_MS]
        gif = folder / canvas.file_name("attention", identity, "gif")
        yield canvas.write_gif(gif, frames, times)
        strip = folder / canvas.file_name("attention", identity, "png")
        yield canvas.write_png(strip, _strip(overlays, symbols))


def _overlay(pixels: Pixels, attention: NDArray[np.float32]) -> Image.Image:
    """Tint an image by a map of attention (H, W), and scale it."""
    tint = np.array([*bytes.fromhex(canvas.ACCENT[1:])], np.float32)
    weight = _MAX_OPACITY * attention[..., np.newaxis]
    mixed = pixels * (1 - weight) + tint * weight
    scale = min(_MAX_WIDTH / pixels.shape[1], _MAX_HEIGHT / pixels.shape[0])
    size = (round(pixels.shape[1] * scale), max(round(pixels.shape[0] * scale), 1))
    picture = Image.fromarray(mixed.round().astype(np.uint8))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _frame(overlay: Image.Image, symbols: Sequence[str], step: int, separator: str) -> Image.Image:
    """Return an image above the symbols up to a step, the last of them in color.

    Where these are wider than the image, their end is shown.
    """
    font = canvas.font(_FONT_SIZE)
    height = overlay.height + 2 * _MARGIN + _FONT_SIZE
    frame = Image.new("RGB", (overlay.width, height), "white")
    frame.paste(overlay, (0, 0))
    draw, top = ImageDraw.Draw(frame), overlay.height + _MARGIN
    before = "".join(symbol + separator for symbol in symbols[:step])
    now = symbols[step] if symbols else "(nothing)"
    left = min(frame.width - draw.textlength(before + now, font), 0)
    draw.text((left, top), before, "black", font)
    draw.text((left + draw.textlength(before, font), top), now, canvas.ACCENT, font)
    return frame


def _strip(overlays: Sequence[Image.Image], symbols: Sequence[str]) -> Image.Image:
    """Stack the overlays of all steps, the symbol before each."""
    font = canvas.font(_FONT_SIZE)
    width, height = overlays[0].size
    left = 2 * _FONT_SIZE
    strip = Image.new("RGB", (left + width, len(overlays) * (height + 2)), "white")
    draw = ImageDraw.Draw(strip)
    for step, overlay in enumerate(overlays):
        top = step * (height + 2)
        strip.paste(overlay, (left, top))
        symbol = canvas.visible(symbols[step]) if symbols else ""
        draw.text((left // 2, top + height // 2), symbol, "black", font, anchor="mm")
    return strip
