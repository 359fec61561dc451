"""The features of frames, as points in the colors of their classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.lines import Line2D

from bench.core.types import Targets
from bench.data.reading.loading import read_batch
from bench.diagnostics import canvas
from bench.diagnostics.posteriors import read_frames, require_ctc
from bench.nn.ctc_functions import aligned_frames
from bench.nn.heads import unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from bench.diagnostics.finished import FinishedEvaluation

_MAX_FRAMES = 6000
_MAX_NAMED = 16
_DIMENSIONS = 3
_VIEW = (35, 20)
"""Elevation and azimuth of the view of the sphere, in degrees."""
_RING = 30
_OTHERS = "#d8c9a8"


@dataclass(frozen=True)
class FrameFeatures:
    """The features and classes of M frames, without samples whose target is not CTC-feasible.

    Attributes:
        features: Features, (M, D).
        classes: Class of each frame on the most probable path of its target, (M,).
        weights: Weights of the classifier, (C, D); (0, D) if it has no weight matrix.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.int64]
    weights: NDArray[np.float32]


def collect_features(evaluation: FinishedEvaluation) -> FrameFeatures:
    """Collect frames of the test set, batch by batch, until there are at least `_MAX_FRAMES`."""
    features, classes = [], []
    batches = evaluation.pipeline.batches("test", evaluation.training.batch_size)
    for index in range(len(batches)):
        batch = read_batch(evaluation.pipeline, batches, index)
        frames = read_frames(evaluation, batch)
        lengths = torch.from_numpy(frames.reference.lengths)
        targets = Targets(lengths, batch.targets, batch.target_lengths)
        aligned = aligned_frames(targets, frames.features.shape[1]).numpy()
        features.append(frames.features.numpy()[aligned])
        classes.append(frames.reference.path[aligned])
        if sum(map(len, classes)) >= _MAX_FRAMES:
            break
    gathered, head = np.concatenate(features), evaluation.network.head
    weight = getattr(getattr(head, "classifier", head), "weight", gathered[:0])
    return FrameFeatures(gathered, np.concatenate(classes), np.asarray(weight))


def draw(evaluation: FinishedEvaluation, _samples: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw features of frames: on the sphere if they are three-dimensional, otherwise by PCA.

    Raises:
        BenchError: The loss is not of the CTC family.
    """
    require_ctc(evaluation, "features")
    points, file = collect_features(evaluation), folder / "features.png"
    on_sphere = points.features.shape[1] == _DIMENSIONS and len(points.weights)
    tokens = ("blank", *map(canvas.visible_token, evaluation.vocabulary))
    colors = _colors(points.classes, len(tokens))
    with canvas.figure_sheet(file, 10 if on_sphere else 7, 5) as figure:
        if on_sphere:
            rotated = rotate_upright(points)
            _draw_sphere(figure.add_subplot(1, 2, 1, projection="3d"), rotated, colors)
            _draw_map(figure.add_subplot(1, 2, 2), rotated, colors)
            subtitle = f"directions of the features of {len(points.classes):,} frames"
        else:
            flat, explained = project_pca(points.features)
            _draw_points(figure.add_subplot(), flat, points.classes, colors)
            subtitle = (
                f"features of {len(points.classes):,} frames, {points.features.shape[1]}-D, "
                f"projected by PCA onto 2 axes with {explained:.0%} of their variance"
            )
        figure.suptitle(f"{evaluation.title}\n{subtitle}", fontsize=9)
        names = {color: tokens[label] for label, color in colors.items()}
        _draw_legend(figure, names | ({_OTHERS: "others"} if {*points.classes} - {*colors} else {}))
    yield file


def rotate_upright(frames: FrameFeatures) -> FrameFeatures:
    """Return unit features and weights, rotated so that blank is up and class 1 in front.

    A rotation does not change angles between features and weights.
    """
    weights = _unit(frames.weights)
    up = weights[0]
    front = _unit(weights[1] - (weights[1] @ up) * up)
    axes = np.stack([front, np.cross(up, front), up])
    return FrameFeatures(_unit(frames.features) @ axes.T, frames.classes, weights @ axes.T)


def azimuthal_map(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the azimuthal equidistant projection (M, 2) of points (M, 3), in degrees.

    The distance of a point from the center is its angle to blank.
    """
    angle = np.degrees(np.arccos(points[:, 2].clip(-1, 1)))
    azimuth = np.arctan2(points[:, 1], points[:, 0])
    return np.stack([angle * np.cos(azimuth), angle * np.sin(azimuth)], 1)


def project_pca(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Project features (M, D) on two principal axes (M, 2); return the explained variance too."""
    centered = features - features.mean(0)
    _, spread, axes = np.linalg.svd(centered, full_matrices=False)
    points, variance = centered @ axes[:2].T, spread**2
    flat = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))  # D = 1 has one axis
    return flat, float(variance[:2].sum() / variance.sum())


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    units: NDArray[np.float32] = unit(torch.from_numpy(vectors)).numpy()
    return units


def _colors(labels: NDArray[np.int64], classes: int) -> dict[int, str]:
    """Return the colors of blank and of the most frequent labels."""
    most = Counter(labels[labels > 0].tolist()).most_common(_MAX_NAMED)
    return canvas.class_colors((label for label, _ in most), classes)


def _draw_points(
    axes: Any,  # noqa: ANN401 (plane or space)
    points: NDArray[np.float32],
    classes: NDArray[np.int64],
    colors: dict[int, str],
    **more: object,
) -> None:
    """Draw frames as points, blanks first."""
    for blank in (True, False):
        chosen = (classes == 0) == blank
        point_colors = [colors.get(label, _OTHERS) for label in classes[chosen].tolist()]
        axes.scatter(*points[chosen].T, c=point_colors, s=4, linewidths=0, alpha=0.7, **more)


def _draw_sphere(axes: Any, frames: FrameFeatures, colors: dict[int, str]) -> None:  # noqa: ANN401 (Axes3D has no types)
    """Draw the points on the visible half of the sphere, and the weights as arrows."""
    up, azimuth = np.radians(_VIEW)
    towards = np.array([np.cos(up) * np.cos(azimuth), np.cos(up) * np.sin(azimuth), np.sin(up)])
    turns, heights = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0, np.pi, 13))
    ring = np.sin(heights)
    mesh = (ring * np.cos(turns), ring * np.sin(turns), np.cos(heights))
    axes.plot_wireframe(*mesh, color="#e4e4e4", linewidth=0.4, zorder=0)
    near = frames.features @ towards > 0
    _draw_points(
        axes, frames.features[near], frames.classes[near], colors, depthshade=False, zorder=2
    )
    for label, weight in enumerate(frames.weights):
        if label in colors:
            behind = weight @ towards < 0
            axes.quiver(
                *(0, 0, 0, *(1.3 * weight)),
                color=colors[label],
                arrow_length_ratio=0.08,
                alpha=0.35 if behind else 1,
                zorder=1 if behind else 3,
            )
    axes.set_title("seen from outside; arrows: the classifier's weights", y=-0.02)
    axes.computed_zorder = False
    axes.view_init(*_VIEW)
    axes.set_proj_type("ortho")
    axes.set_box_aspect((1, 1, 1), zoom=1.4)
    axes.set_axis_off()


def _draw_map(axes: Axes, frames: FrameFeatures, colors: dict[int, str]) -> None:
    """Draw the points of the whole sphere as a map, with circles of equal angles to blank."""
    points = azimuthal_map(frames.features)
    _draw_points(axes, points, frames.classes, colors)
    stars = {
        label: star for label, star in enumerate(azimuthal_map(frames.weights)) if label in colors
    }
    for label, (x, y) in stars.items():
        axes.plot(x, y, marker="*", markersize=11, color=colors[label], markeredgecolor="k")
    farthest = np.linalg.norm([*points, *stars.values()], axis=1).max()
    turns = np.radians(np.arange(361))
    for angle in np.arange(_RING, farthest + _RING, _RING):
        axes.plot(angle * np.cos(turns), angle * np.sin(turns), color="#cccccc", linewidth=0.5)
        axes.annotate(
            f"{angle:g}°",
            (-angle * np.sqrt(0.5), -angle * np.sqrt(0.5)),
            color="#666666",
            fontsize=7,
            ha="center",
            va="center",
            bbox={"color": "white", "pad": 0.6, "alpha": 0.8},
        )
    axes.set_title("as a map: the angle to blank from the middle; ★: weights", y=-0.04)
    axes.set_aspect("equal")
    axes.axis("off")


def _draw_legend(figure: Figure, names: dict[str, str]) -> None:
    """Draw the legend: the class of each color."""
    marks = [Line2D([], [], color=color, marker="o", linestyle="") for color in names]
    figure.legend(marks, [*names.values()], loc="outside right center", frameon=False)
