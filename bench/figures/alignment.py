"""Class posteriors over time: where a network under a CTC loss reads what."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.data.inspection import contact_sheet as sheets
from bench.decoding.decoded import Span
from bench.decoding.greedy import greedy
from bench.evaluation.metrics.detection import true_segments
from bench.figures import canvas
from bench.figures.posteriors import frames, require_ctc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bench.core.types import Batch
    from bench.data.inputs.images import Pixels
    from bench.figures.finished_trial import FinishedTrial

_NARROWEST, _WIDEST, _HIGHEST = 6.0, 15.0, 1.3
_FRAME = 0.45
_LETTER = 0.085
"""All in inches: the width of a picture, the height of a sample, the width of a frame or letter."""
_FEW = 60
"""Frames of which each is marked on a curve."""
_LEAST = 0.1
"""The posterior that a class has to reach somewhere to have a curve."""


class Drawn(NamedTuple):
    """How a class is called, and its color."""

    word: str
    color: str


@dataclass(frozen=True)
class Reading:
    """How T frames of one sample were read.

    `pixels` are the image, or a strip of `cells` frames of the clip; `posteriors` is (T, C).
    `greedy` are the spans of the best class of each frame, `reference` those of the most probable
    path of the target (none where it has no path), `truth` the true segments where key frames are
    known, which then are their `key`.
    """

    pixels: Pixels
    cells: int
    posteriors: NDArray[np.float32]
    greedy: list[Span]
    reference: list[Span]
    truth: list[Span]


def reading(trial: FinishedTrial, identity: str) -> Reading:
    """Read one sample as in the test."""
    batch, row = trial.sample(identity)
    found = frames(trial, batch)
    lengths = found.reference.lengths
    best = greedy(found.log_probs, torch.from_numpy(lengths))
    pixels = sheets.pixels(batch, row, round(_WIDEST / _FRAME))
    return Reading(
        pixels=pixels,
        cells=max(pixels.shape[1] // batch.inputs.shape[-1], 1),
        posteriors=found.log_probs[row, : lengths[row]].exp().numpy(),
        greedy=best.spans().of(row),
        reference=found.reference.spans().of(row),
        truth=_truth(batch, row, int(lengths[row])),
    )


def draw(trial: FinishedTrial, identities: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw each sample above its posteriors and paths."""
    require_ctc(trial, "alignment")
    tokens = ("blank", *map(canvas.shown, trial.source.vocabulary))
    for told in trial.chosen(identities):
        title = f"{told['id']}: “{told['reference']}” read as “{told['hypothesis']}”"
        file = folder / canvas.file_name("alignment", told["id"], "png")
        _picture(file, f"{trial.title}\n{title}", reading(trial, told["id"]), tokens)
        yield file


def _truth(batch: Batch, row: int, frames: int) -> list[Span]:
    target = batch.targets[row, : batch.target_lengths[row]].tolist()
    keys = batch.key_frames[row, : len(target)].tolist()
    # Key frames are frames of the input: where the network makes fewer of them, they say nothing.
    if -1 in keys or int(batch.lengths[row]) != frames:
        return []
    segments = true_segments(0, keys, frames)
    rows = zip(target, keys, segments, strict=True)
    return [Span(label, one.start, one.end, key, 1.0) for label, key, one in rows]


def _picture(file: Path, title: str, found: Reading, tokens: Sequence[str]) -> None:
    frames = len(found.posteriors)
    ratio = found.pixels.shape[1] / found.pixels.shape[0]
    width = min(max(min(_FRAME * frames, _HIGHEST * ratio), _NARROWEST), _WIDEST)
    paths = {"greedy": found.greedy, "reference": found.reference}
    paths |= {"truth": found.truth} if found.truth else {}
    heights = [width / ratio, 2.0, 0.25 * len(paths)]
    with canvas.sheet(file, width + 1.6, sum(heights) + 1.2) as figure:
        lines = [textwrap.fill(line, round(width / _LETTER)) for line in title.splitlines()]
        figure.suptitle("\n".join(lines), fontsize=9)
        image, curves, rows = figure.subplots(3, 1, sharex=True, height_ratios=heights)
        extent = (-0.5, frames - 0.5, 0, 1)
        image.imshow(found.pixels, extent=extent, aspect="auto", interpolation="nearest")
        for cell in range(1, found.cells):
            image.axvline(cell * frames / found.cells - 0.5, color="white", linewidth=1)
        image.axis("off")
        drawn = {label: Drawn(tokens[label], color) for label, color in _colors(found).items()}
        _draw_curves(curves, found, drawn)
        _draw_paths(rows, paths, drawn, letters=width / frames / _LETTER)
        rows.set_xlim(extent[:2])


def _colors(found: Reading) -> dict[int, str]:
    """Return the colors of blank, of the target's labels and of whatever else comes up."""
    seen = (found.posteriors.max(0) >= _LEAST).nonzero()[0].tolist()
    spans = (*found.reference, *found.greedy, *found.truth)
    return canvas.colors([*seen, *(span.label for span in spans)], found.posteriors.shape[1])


def _draw_curves(axes: Axes, found: Reading, drawn: dict[int, Drawn]) -> None:
    frames = range(len(found.posteriors))
    wanted = {span.label for span in found.reference}
    for label, (word, color) in drawn.items():
        values = found.posteriors[:, label]
        axes.fill_between(frames, values, color=color, alpha=0.15, linewidth=0)
        # Labels of the target are named at their key frames.
        name = None if label in wanted else word
        marker = "." if len(frames) <= _FEW else ""
        axes.plot(frames, values, color=color, marker=marker, linewidth=1.2, label=name)
    for span in found.reference:
        word, color = drawn[span.label]
        axes.axvline(span.key, linestyle=":", linewidth=1, color=color)
        turn, side = (35, "left") if len(word) > 1 else (0, "center")
        axes.text(span.key, 1.07, word, weight="bold", color=color, rotation=turn, ha=side)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("posterior")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, handlelength=1)


def _draw_paths(
    axes: Axes, paths: dict[str, list[Span]], drawn: dict[int, Drawn], letters: float
) -> None:
    """Draw a row of spans a path, grey where it is blank; a frame has room for so many letters."""
    for row, spans in enumerate(paths.values()):
        axes.axhspan(row - 0.4, row + 0.4, color="#e6e6e6", linewidth=0)
        for span in spans:
            width, (word, color) = span.end - span.start, drawn[span.label]
            axes.barh(row, width, left=span.start - 0.5, height=0.8, color=color)
            if len(word) <= width * letters:
                middle = span.start + (width - 1) / 2
                axes.text(middle, row, word, color="white", ha="center", va="center_baseline")
    axes.set_yticks(range(len(paths)), [*paths])
    axes.set_ylim(len(paths) - 0.5, -0.5)
    axes.tick_params(left=False)
    axes.set_xlabel("frame")
