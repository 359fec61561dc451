"""Augmentations on one thread, beside those of torchvision in the same rounds.

`nox -s speed -- augmentation` prints three tables: microseconds of each operation on a word and on
a line, microseconds of each augmentation, and, as ratios, torchvision's RandAugment and affine map
to bench's. Images are uint8 in color, as they are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torchvision.transforms import v2

from bench.core import registry
from bench.core.components import ImageAugmentation
from bench.data.augmentation.operations import distortion, filters, geometry, tone
from bench.data.augmentation.operations.rand_augment import OPERATIONS
from bench.data.augmentation.scene_text import SceneText
from bench.data.reading.sample_generators import sample_generators

SIZES = {"word 32×128": (32, 128), "line 64×960": (64, 960)}
ROUNDS, REPEATS = 30, 20
GOALS = {"noise": 150, "elastic": 160}
GOAL = 40
"""Microseconds per word; of noise and elastic fields more."""


def fastest(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the microseconds of each call in the fastest of its rounds, which go over all calls.

    A call takes microseconds, and whatever else runs on the machine only adds to them.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(REPEATS):
                call()
            taken[name].append((time.perf_counter() - began) / REPEATS * 1e6)
    return {name: min(each) for name, each in taken.items()}


def photograph(height: int, width: int) -> np.ndarray:
    """Return a smooth image in color."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2), np.uint8)


def operations(pixels: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return calls of every operation with usual parameters."""
    generator = np.random.default_rng(0)
    corners = geometry.corners(pixels)[:2] + np.array([[4, -2, -3, 1], [3, 1, -2, -1]])
    fields = generator.standard_normal((2, 8, 40), np.float32)
    calls: dict[str, Callable[[], object]] = {
        name: (lambda each=each: each(pixels, 0.5, generator)) for name, each in OPERATIONS.items()
    }
    return calls | {
        "perspective": lambda: geometry.warped(
            pixels,
            geometry.fitted(geometry.perspective(pixels, corners), pixels),
            geometry.REPLICATE,
        ),
        "motion blur": lambda: filters.motion_blurred(pixels, 5, 30),
        "median": lambda: filters.median_blurred(pixels, 3),
        "coarse": lambda: filters.coarsened(pixels, 64, 16),
        "dilate": lambda: filters.dilated(pixels, 3),
        "erode": lambda: filters.eroded(pixels, 3),
        "hue": lambda: tone.shifted_hsv(pixels, 0.05, 10, 10),
        "gamma": lambda: tone.gamma_corrected(pixels, 1.1),
        "grid": lambda: distortion.grid_distorted(pixels, [1, 1.1, 0.9], [1, 0.9]),
        "elastic": lambda: distortion.elastically_distorted(pixels, *fields),
    }


def augmentations(pixels: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return calls of every augmentation of images, over many draws."""
    calls: dict[str, Callable[[], object]] = {
        "a generator": lambda: sample_generators(1, 2, [3]),
    }
    for name, kind in registry.builtin("augmentation").items():
        augmentation, generator = kind(), np.random.default_rng(0)
        if isinstance(augmentation, ImageAugmentation):
            calls[name] = lambda a=augmentation, g=generator: [
                a.augment(pixels, g) for _ in range(20)
            ]
    return calls


def beside_torchvision(pixels: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return calls of bench and of torchvision that do about the same."""
    shown = torch.from_numpy(pixels).movedim(-1, 0).contiguous()
    ours, theirs = SceneText(probability=1.0), v2.RandAugment(3, 9)
    affine = v2.RandomAffine(5, (0.02, 0.02), (0.8, 1.2), (5, 5))
    generator = np.random.default_rng(0)
    matrix = geometry.rotation(3) @ geometry.scaling(0.9, 1.1) @ geometry.shear_x(0.1)
    return {
        "RandAugment, bench": lambda: ours.augment(pixels, generator),
        "RandAugment, torchvision": lambda: theirs(shown),
        "affine, bench": lambda: geometry.warped(
            pixels, geometry.centered(matrix, pixels), geometry.GRAY
        ),
        "affine, torchvision": lambda: affine(shown),
    }


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    photographs = {name: photograph(*size) for name, size in SIZES.items()}
    table = Table("operation, µs", *SIZES, "goal for a word")
    columns = [fastest(operations(pixels)) for pixels in photographs.values()]
    for name in columns[0]:
        row = [f"{column[name]:.0f}" for column in columns]
        table.add_row(name, *row, f"{GOALS.get(name, GOAL)}")
    whole = Table("augmentation, µs", *SIZES)
    columns = [fastest(augmentations(pixels)) for pixels in photographs.values()]
    for name in columns[0]:
        draws = 1 if name == "a generator" else 20
        whole.add_row(name, *(f"{column[name] / draws:.0f}" for column in columns))
    ratios = Table("torchvision / bench", *SIZES)
    columns = [fastest(beside_torchvision(pixels)) for pixels in photographs.values()]
    for name in ("RandAugment", "affine"):
        row = [c[f"{name}, torchvision"] / c[f"{name}, bench"] for c in columns]
        ratios.add_row(name, *(f"{ratio:.1f}" for ratio in row))
    Console().print(table, whole, ratios)


if __name__ == "__main__":
    main()
