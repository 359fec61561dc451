"""Class posteriors over time and the CTC paths through them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.decoding.algorithms.best_path import decode_ctc
from bench.decoding.algorithms.decoded import Span
from bench.diagnostics import canvas
from bench.diagnostics.posteriors import read_frames, require_ctc
from bench.evaluation.metrics.detection import true_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bench.core.types import Batch
    from bench.data.inputs.images import Pixels
    from bench.diagnostics.finished import FinishedEvaluation

_MIN_WIDTH, _MAX_WIDTH, _MAX_HEIGHT = 6.0, 15.0, 1.3
_FRAME_WIDTH = 0.45
_LETTER_WIDTH = 0.085
"""Sizes in inches: width of the picture, height of the sample, width of a frame and a letter."""
_MAX_MARKED_FRAMES = 60
"""Curves with at most this many frames have a marker per frame."""
_MIN_POSTERIOR = 0.1
"""A class has a curve if its posterior is at least this in some frame."""


class Style(NamedTuple):
    """The token and the color of a class."""

    token: str
    color: str


@dataclass(frozen=True)
class AlignedSample:
    """The posteriors of the T frames of a sample, and CTC paths through them.

    Attributes:
        pixels: The image, or frames of the clip side by side, (H, W, 3).
        frames_shown: Number of frames in `pixels`; 1 for an image.
        posteriors: Class posteriors, (T, C).
        greedy: Spans of the best path.
        reference: Spans of the most probable path of the target; empty if the target is not
            CTC-feasible.
        annotated: Annotated segments with their key frames; empty if these are unknown.
    """

    pixels: Pixels
    frames_shown: int
    posteriors: NDArray[np.float32]
    greedy: list[Span]
    reference: list[Span]
    annotated: list[Span]


def read_sample(evaluation: FinishedEvaluation, identity: str) -> AlignedSample:
    """Read one sample with the network, in the same batch as in the evaluation."""
    batch, row = evaluation.sample(identity)
    frames = read_frames(evaluation, batch)
    lengths = frames.reference.lengths
    best = decode_ctc(frames.log_probs, torch.from_numpy(lengths))
    pixels = evaluation.pixels(identity, round(_MAX_WIDTH / _FRAME_WIDTH))
    return AlignedSample(
        pixels=pixels,
        frames_shown=max(pixels.shape[1] // batch.inputs.shape[-1], 1),
        posteriors=frames.log_probs[row, : lengths[row]].exp().numpy(),
        greedy=best.spans().of_sample(row),
        reference=frames.reference.spans().of_sample(row),
        annotated=_annotated_spans(batch, row, int(lengths[row])),
    )


def draw(evaluation: FinishedEvaluation, samples: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw each sample with its posteriors and paths below it.

    Raises:
        BenchError: The loss or decoder of the evaluation has no CTC paths.
    """
    require_ctc(evaluation, "alignment")
    evaluation.require_greedy("alignment")
    tokens = ("blank", *map(canvas.visible_token, evaluation.vocabulary))
    for row in evaluation.choose_samples(samples):
        title = f"{row['id']}: “{row['reference']}” read as “{row['hypothesis']}”"
        file = folder / canvas.picture_file_name("alignment", row["id"], "png")
        _picture(file, f"{evaluation.title}\n{title}", read_sample(evaluation, row["id"]), tokens)
        yield file


def _annotated_spans(batch: Batch, row: int, frames: int) -> list[Span]:
    target = batch.targets[row, : batch.target_lengths[row]].tolist()
    keys = batch.key_frames[row, : len(target)].tolist()
    # Key frames are frames of the input; a network that subsamples has others.
    if -1 in keys or int(batch.lengths[row]) != frames:
        return []
    segments = true_segments(0, keys, frames)
    rows = zip(target, keys, segments, strict=True)
    return [Span(label, each.start, each.end, key, 1.0) for label, key, each in rows]


def _picture(file: Path, title: str, sample: AlignedSample, tokens: Sequence[str]) -> None:
    frames = len(sample.posteriors)
    ratio = sample.pixels.shape[1] / sample.pixels.shape[0]
    width = min(max(min(_FRAME_WIDTH * frames, _MAX_HEIGHT * ratio), _MIN_WIDTH), _MAX_WIDTH)
    paths = {"greedy": sample.greedy, "reference": sample.reference}
    paths |= {"annotation": sample.annotated} if sample.annotated else {}
    heights = [width / ratio, 2.0, 0.25 * len(paths)]
    with canvas.figure_sheet(file, width + 1.6, sum(heights) + 1.2) as figure:
        lines = [textwrap.fill(line, round(width / _LETTER_WIDTH)) for line in title.splitlines()]
        figure.suptitle("\n".join(lines), fontsize=9)
        image, curves, rows = figure.subplots(3, 1, sharex=True, height_ratios=heights)
        extent = (-0.5, frames - 0.5, 0, 1)
        image.imshow(sample.pixels, extent=extent, aspect="auto", interpolation="nearest")
        for cell in range(1, sample.frames_shown):
            image.axvline(cell * frames / sample.frames_shown - 0.5, color="white", linewidth=1)
        image.axis("off")
        styles = {label: Style(tokens[label], color) for label, color in _colors(sample).items()}
        _draw_curves(curves, sample, styles)
        _draw_paths(rows, paths, styles, letters=width / frames / _LETTER_WIDTH)
        rows.set_xlim(extent[:2])


def _colors(sample: AlignedSample) -> dict[int, str]:
    """Return the colors of blank and of all labels in the picture."""
    curves = (sample.posteriors.max(0) >= _MIN_POSTERIOR).nonzero()[0].tolist()
    spans = (*sample.reference, *sample.greedy, *sample.annotated)
    labels = [*curves, *(span.label for span in spans)]
    return canvas.class_colors(labels, sample.posteriors.shape[1])


def _draw_curves(axes: Axes, sample: AlignedSample, styles: dict[int, Style]) -> None:
    frames = range(len(sample.posteriors))
    target = {span.label for span in sample.reference}
    for label, (token, color) in styles.items():
        values = sample.posteriors[:, label]
        axes.fill_between(frames, values, color=color, alpha=0.15, linewidth=0)
        # Labels of the target are named at their key frames.
        name = None if label in target else token
        marker = "." if len(frames) <= _MAX_MARKED_FRAMES else ""
        axes.plot(frames, values, color=color, marker=marker, linewidth=1.2, label=name)
    for span in sample.reference:
        token, color = styles[span.label]
        axes.axvline(span.key, linestyle=":", linewidth=1, color=color)
        turn, side = (35, "left") if len(token) > 1 else (0, "center")
        axes.text(span.key, 1.07, token, weight="bold", color=color, rotation=turn, ha=side)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("posterior")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, handlelength=1)


def _draw_paths(
    axes: Axes, paths: dict[str, list[Span]], styles: dict[int, Style], letters: float
) -> None:
    """Draw one row of spans per path, gray at blanks; a frame is as wide as `letters` letters."""
    for row, spans in enumerate(paths.values()):
        axes.axhspan(row - 0.4, row + 0.4, color="#e6e6e6", linewidth=0)
        for span in spans:
            width, (token, color) = span.end - span.start, styles[span.label]
            axes.barh(row, width, left=span.start - 0.5, height=0.8, color=color)
            if len(token) <= width * letters:
                middle = span.start + (width - 1) / 2
                axes.text(middle, row, token, color="white", ha="center", va="center_baseline")
    axes.set_yticks(range(len(paths)), [*paths])
    axes.set_ylim(len(paths) - 0.5, -0.5)
    axes.tick_params(left=False)
    axes.set_xlabel("frame")
