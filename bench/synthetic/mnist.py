"""Synthetic digits in the files of MNIST, compressed, in the folders of torchvision."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.synthetic.job import Job, divide_samples
from bench.synthetic.skeletons import CAPITALS, skeleton

_SHARES = {"train": 60_000, "t10k": 10_000}
"""The sizes of MNIST, which give the ratio of the splits."""
_SIDE = 28
_IMAGES_MAGIC, _LABELS_MAGIC = 2051, 2049
"""The magic numbers of IDX files of images and of labels."""
_SUPERSAMPLING, _SHIFT = 4, 3


def write(job: Job) -> None:
    """Write the images and labels of train and test, with random digits."""
    sizes = divide_samples(job, _SHARES)
    root = job.out / "MNIST" / "raw"
    root.mkdir(parents=True)
    for part, size in sizes.items():
        labels = job.rng.integers(0, 10, size, np.uint8)
        (root / f"{part}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(_header(_LABELS_MAGIC, size) + labels.tobytes(), mtime=0)
        )
        with (
            (root / f"{part}-images-idx3-ubyte.gz").open("wb") as file,
            # Without file name and time, so that the bytes are reproducible.
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as images,
        ):
            images.write(_header(_IMAGES_MAGIC, size, _SIDE, _SIDE))
            for label in labels.tolist():
                images.write(draw_digit(label, job.rng).tobytes())
                job.advance(1)


def _header(*numbers: int) -> bytes:
    return np.array(numbers, ">i4").tobytes()


def draw_digit(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a written digit (28, 28), white on black, centered by its mass as in MNIST."""
    canvas = np.zeros((_SIDE * _SUPERSAMPLING, _SIDE * _SUPERSAMPLING), np.uint8)
    width = round(_SUPERSAMPLING * float(rng.uniform(1.6, 3)))
    for line in _strokes(label, rng):
        points = np.rint(line * (_SUPERSAMPLING * 2**_SHIFT)).astype(np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=(255,), thickness=width, shift=_SHIFT)
    moments = cv2.moments(canvas)
    away = [moments[key] / moments["m00"] - _SIDE * _SUPERSAMPLING / 2 for key in ("m10", "m01")]
    centering = np.array([[1, 0, -away[0]], [0, 1, -away[1]]], np.float32)
    centered = cv2.warpAffine(canvas, centering, canvas.shape)
    return np.asarray(cv2.resize(centered, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _strokes(label: int, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield the strokes of a digit in pixels, slanted and slightly distorted."""
    shape = skeleton(str(label))
    unit, slant = float(rng.uniform(14.5, 17)) / CAPITALS, float(rng.normal(0.12, 0.15))
    wide, turn = float(rng.uniform(0.8, 1.2)), float(rng.normal(0, 0.08))
    for stroke in shape.strokes:
        wobble = 0.5 * rng.standard_normal(stroke.points.shape, np.float32)
        x, y = stroke.path(stroke.points + wobble).T
        x, y = (x - shape.width / 2) * wide, y - CAPITALS / 2
        x, y = x + (slant + turn) * y, y - turn * x
        yield np.stack([x, -y], 1) * np.float32(unit) + np.float32(_SIDE / 2)
