"""Where a network that emits symbols looked for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.inspection import contact_sheet as sheets
from bench.decoding.seq2seq import until_end
from bench.figures import canvas
from bench.nn.feedback import Greedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.types import Attentive
    from bench.data.inputs.images import Pixels
    from bench.figures.finished_trial import FinishedTrial

_WIDTH, _HEIGHT = 1000, 96
_SYMBOL_MS, _LAST_MS = 350, 2000
_TEXT = 20
_MARGIN = 8
_STRONGEST = 0.75


@dataclass(frozen=True)
class Looks:
    """What was read on an image (H, W, 3), and where the network looked for it.

    `shares` (S, H, W) are its maps at the size of the image, the largest share of each being 1:
    one for each of the `symbols`, or only that of the end where nothing was read.
    """

    pixels: Pixels
    symbols: list[str]
    shares: NDArray[np.float32]


def looks(trial: FinishedTrial, identity: str) -> Looks:
    """Read one sample as in the test. Raises BenchError where its network cannot show its looks."""
    network = trial.network
    if not hasattr(network.model, "attend"):
        name = trial.record.spec["model"]["name"]
        raise BenchError(
            f"model '{name}' of this trial has no attention over its image to draw; leave "
            "--attention out, or take a model that has, such as htr-seq2seq-light"
        )
    batch, row = trial.sample(identity)
    with torch.inference_mode():
        model = cast("Attentive", network.model)
        features, maps = model.attend(batch.inputs, batch.lengths, Greedy(network.head))
        logits = network.head(features.sequence[row : row + 1])
    [labels] = until_end(logits, torch.tensor([logits.shape[1]])).labels
    tokens = ("", *trial.source.vocabulary)
    size = (batch.inputs.shape[2], batch.inputs.shape[3])
    shares = enlarged(maps[row, : max(len(labels), 1)], model.cell, size)
    return Looks(
        pixels=sheets.pixels(batch, row),
        symbols=[tokens[label] for label in labels],
        shares=shares[..., : int(batch.lengths[row])],
    )


def enlarged(maps: Tensor, cell: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return maps (S, H', W') at the `size` (H, W) of their image, the largest share of each 1.

    Each of their places is a `cell` of so many pixels, side by side from the upper left corner;
    what is behind them has no share, and what of them is beyond the image is cut off.
    """
    height, width = size
    high, wide = maps.shape[1] * cell[0], maps.shape[2] * cell[1]
    whole = maps.float().unsqueeze(1)
    shares = functional.interpolate(whole, (high, wide), mode="bilinear").squeeze(1)
    shares = functional.pad(shares, (0, width - wide, 0, height - high))
    return (shares / shares.amax((1, 2), keepdim=True)).numpy()


def draw(trial: FinishedTrial, identities: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw each sample as an animation, a frame a symbol, and as a strip of them all."""
    for told in trial.chosen(identities):
        identity = told["id"]
        found = looks(trial, identity)
        overlays = [_overlay(found.pixels, share) for share in found.shares]
        joint = trial.protocol.separator
        frames = [_frame(one, found.symbols, step, joint) for step, one in enumerate(overlays)]
        times = [_SYMBOL_MS] * (len(frames) - 1) + [_LAST_MS]
        gif = folder / canvas.file_name("attention", identity, "gif")
        yield canvas.write_gif(gif, frames, times)
        strip = folder / canvas.file_name("attention", identity, "png")
        yield canvas.write_png(strip, _strip(overlays, found.symbols))


def _overlay(pixels: Pixels, shares: NDArray[np.float32]) -> Image.Image:
    """Tint an image where a map has its shares, and scale it."""
    tint = np.array([*bytes.fromhex(canvas.ACCENT[1:])], np.float32)
    weight = _STRONGEST * shares[..., np.newaxis]
    mixed = pixels * (1 - weight) + tint * weight
    scale = min(_WIDTH / pixels.shape[1], _HEIGHT / pixels.shape[0])
    size = (round(pixels.shape[1] * scale), max(round(pixels.shape[0] * scale), 1))
    picture = Image.fromarray(mixed.round().astype(np.uint8))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _frame(overlay: Image.Image, symbols: Sequence[str], step: int, joint: str) -> Image.Image:
    """Return an image with what was read of it up to one step below, that step in color.

    Where that is longer than the image, its end is shown.
    """
    font = canvas.font(_TEXT)
    height = overlay.height + 2 * _MARGIN + _TEXT
    frame = Image.new("RGB", (overlay.width, height), "white")
    frame.paste(overlay, (0, 0))
    draw, top = ImageDraw.Draw(frame), overlay.height + _MARGIN
    before = "".join(symbol + joint for symbol in symbols[:step])
    now = symbols[step] if symbols else "(nothing)"
    left = min(frame.width - draw.textlength(before + now, font), 0)
    draw.text((left, top), before, "black", font)
    draw.text((left + draw.textlength(before, font), top), now, canvas.ACCENT, font)
    return frame


def _strip(overlays: Sequence[Image.Image], symbols: Sequence[str]) -> Image.Image:
    """Stack the overlays of all steps, the symbol before each."""
    font = canvas.font(_TEXT)
    width, height = overlays[0].size
    left = 2 * _TEXT
    strip = Image.new("RGB", (left + width, len(overlays) * (height + 2)), "white")
    draw = ImageDraw.Draw(strip)
    for step, overlay in enumerate(overlays):
        top = step * (height + 2)
        strip.paste(overlay, (left, top))
        symbol = canvas.shown(symbols[step]) if symbols else ""
        draw.text((left // 2, top + height // 2), symbol, "black", font, anchor="mm")
    return strip
