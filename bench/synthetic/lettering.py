"""Images of single words as on signs: small color images similar to those of Synth90k.

A word is drawn in layers, as by the source: font, border and shadow, color, projective distortion,
blending with texture, noise. This is a simple version, which is fast and stays readable.

Source: Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
Recognition" (2014).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.synthetic.faces import Mask, draw_word, families, plain_faces
from bench.synthetic.randomness import one_of

Picture = NDArray[np.uint8]
Layer = NDArray[np.float32]
T = TypeVar("T")

_HEIGHTS = (31, 31, 32)
_CONTRAST = 70
"""The smallest difference of the gray levels of ink and ground."""
_LUMINANCE = np.array([[0.114], [0.587], [0.299]])
_INWARDS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
"""The direction in which each corner of a word may be moved without leaving the image."""
_TILE = (160, 640)
_TILES = 48


class Lettering:
    """Draws words; all random draws are from `rng`, in the order of the calls.

    Layers are BGR planes (3, H, W), which NumPy adds faster than (H, W, 3).
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._uniform = _uniform(rng)
        self._textures = [_texture(rng) for _ in range(_TILES)]
        self._grain = rng.standard_normal((*_TILE, 3)).astype(np.float32)

    def picture(self, word: str) -> Picture:
        """Return an image of `word`, BGR (31 or 32, W, 3) from 0 to 255."""
        alpha = self._warp(self._draw_word(word))
        ground, ink, other = self._tones()
        image = self._layer(alpha.shape, ground, textured=0.5)
        if self._happens(0.2):
            self._blend(image, self._shadow(alpha), other)
        if self._happens(0.2):
            self._blend(image, _dilated(alpha, 3, 3), other)
        fill = self._layer(alpha.shape, ink, textured=0.25) if self._happens(0.5) else ink
        self._blend(image, alpha, fill)
        return self._degrade(cv2.merge([*image]))

    def clean_picture(self, word: str) -> Picture:
        """Return an image of `word` in dark, upright letters of a plain face on a light ground."""
        mask = draw_word(self._choice(plain_faces()), word, 1, [0] * len(word))
        rows, columns = mask.shape
        top, bottom, left, right = (round(self._between(3, 5)) for _ in range(4))
        inner = self._choice(_HEIGHTS) - top - bottom
        stretch = np.exp(self._between(-0.1, 0.1))
        size = (max(6, round(columns * inner / rows * stretch)), inner)
        scaled = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        sides = ((top, bottom), (left, right))
        alpha = np.pad(scaled, sides).astype(np.float32) / 255
        ground, ink = self._between(200, 255), self._between(0, 60)
        gray = ground + (ink - ground) * alpha
        gray += self._cut(self._grain, *gray.shape)[..., 0] * np.float32(self._between(0, 4))
        return np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)

    def _happens(self, share: float) -> bool:
        return next(self._uniform) < share

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._uniform)

    def _choice(self, items: Sequence[T]) -> T:
        return items[int(len(items) * next(self._uniform))]

    def _draw_word(self, word: str) -> Mask:
        """Return the mask of a word in a random face, on a straight or curved baseline."""
        face = self._choice(self._choice(families()))
        rises = np.zeros(len(word))
        if self._happens(0.2):
            rises += self._between(-8, 8) * (1 - np.linspace(-1, 1, len(word)) ** 2)
        if self._happens(0.1):
            rises += self._rng.uniform(-2.5, 2.5, len(word))
        tracking = self._between(-1, 2) if self._happens(0.8) else self._between(2, 9)
        mask = draw_word(face, word, tracking, [round(rise) for rise in rises.tolist()])
        if self._happens(0.1):
            mask = _dilated(mask, 2, 3)
        if self._happens(0.04):
            hollow = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
            mask = np.asarray(hollow, np.uint8)
        return mask

    def _warp(self, mask: Mask) -> Mask:
        """Return the mask in the frame of the image: stretched, slanted and in perspective."""
        rows, columns = mask.shape
        height = self._choice(_HEIGHTS)
        top, bottom = self._between(-1, 4), self._between(-1, 4)
        left, right = self._between(0, 9), self._between(0, 9)
        inner = height - top - bottom
        stretch = np.exp(self._between(-0.55, 0.25))
        length = max(12.0, columns * inner / rows * stretch)
        lean = self._between(-0.35, 0.35) * inner if self._happens(0.35) else 0.0
        width = round(length + left + right + abs(lean))
        left += max(0.0, -lean)
        upper, lower = left + lean, height - bottom
        corners = np.array(
            [[upper, top], [upper + length, top], [left + length, lower], [left, lower]], np.float32
        )
        if self._happens(0.6):
            reach = np.array([0.06 * length, 0.3 * inner], np.float32)
            corners += _INWARDS * reach * self._rng.random((4, 2), dtype=np.float32) ** 2
        source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners)
        return np.asarray(cv2.warpPerspective(mask, matrix, (width, height)), np.uint8)

    def _tones(self) -> list[Layer]:
        """Return three colors (3, 1, 1): ground, ink, and that of borders and shadows."""
        ground = self._between(0, 255)
        below, above = max(0.0, ground - _CONTRAST), max(0.0, 255 - _CONTRAST - ground)
        if self._happens(above / (above + below)):
            ink = ground + _CONTRAST + self._between(0, above)
        else:
            ink = ground - _CONTRAST - self._between(0, below)
        other = 255 - ink if self._happens(0.7) else self._between(0, 255)
        tint = self._rng.uniform(-1, 1, (3, 3)) * 110 * self._rng.random((3, 1)) ** 2
        # A tint without luminance does not change the contrast.
        tint += np.array([[ground], [ink], [other]]) - tint @ _LUMINANCE
        return [*np.minimum(np.maximum(tint, 0), 255).astype(np.float32)[..., None, None]]

    def _layer(self, shape: tuple[int, ...], tone: Layer, *, textured: float) -> Layer:
        """Return a layer (3, H, W) of `tone`: flat, with a gradient, or with a texture."""
        layer = np.empty((3, *shape), np.float32)
        if self._happens(textured):
            tint = self._rng.uniform(0.6, 1.4, (3, 1, 1)).astype(np.float32)
            tile = self._choice(self._textures)
            np.multiply(self._cut(tile, *shape), tint, out=layer)
            layer += tone
        elif self._happens(0.4):
            layer[:] = tone
            layer += self._between(-30, 30) * np.linspace(-1, 1, shape[1], dtype=np.float32)
            layer += (
                self._between(-30, 30) * np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
            )
        else:
            layer[:] = tone
        return layer

    def _cut(self, tile: Layer, rows: int, columns: int) -> Layer:
        """Return a random window of a tile, which is stretched if it is too narrow."""
        if columns > tile.shape[1]:
            return np.asarray(cv2.resize(tile[:rows], (columns, rows)), np.float32)
        top = int(self._between(0, tile.shape[0] - rows))
        left = int(self._between(0, tile.shape[1] - columns))
        return tile[top : top + rows, left : left + columns]

    def _shadow(self, alpha: Mask) -> Mask:
        across, down = self._between(-3, 3), self._between(-2.5, 2.5)
        moved = np.array([[1, 0, across], [0, 1, down]], np.float32)
        shadow = cv2.warpAffine(alpha, moved, alpha.shape[::-1])
        return np.asarray(cv2.blur(shadow, (3, 3)) if self._happens(0.5) else shadow, np.uint8)

    def _blend(self, image: Layer, alpha: Mask, over: Layer) -> None:
        share = alpha * np.float32(self._between(0.85, 1) / 255)
        added = over - image
        added *= share
        image += added

    def _degrade(self, image: Layer) -> Picture:
        """Return an image (H, W, 3) with blur, loss of resolution and noise."""
        rows, columns = image.shape[:2]
        if self._happens(0.12):
            scale = self._between(0.55, 0.85)
            small = (max(8, round(columns * scale)), round(rows * scale))
            shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            image = np.asarray(cv2.resize(shrunk, (columns, rows)), np.float32)
        elif self._happens(0.5):
            sigma = self._between(0.4, 1.1)
            image = np.asarray(cv2.GaussianBlur(image, (5, 5), sigma), np.float32)
        elif self._happens(0.15):
            image = np.asarray(cv2.blur(image, (4, 1)), np.float32)
        if self._happens(0.7):
            image += self._cut(self._grain, rows, columns) * np.float32(self._between(1, 12))
        np.maximum(image, 0, out=image)
        return np.minimum(image, 255, out=image).astype(np.uint8)


def _uniform(rng: np.random.Generator) -> Iterator[float]:
    """Yield uniform numbers in [0, 1) forever, drawn in blocks, which takes a tenth of the time."""
    while True:
        yield from rng.random(4096).tolist()


def _dilated(mask: Mask, rows: int, columns: int) -> Mask:
    """Return the mask with thicker strokes."""
    return np.asarray(cv2.dilate(mask, np.ones((rows, columns), np.uint8)), np.uint8)


def _texture(rng: np.random.Generator) -> Layer:
    """Return a texture (H, W) to add to a color: clouds, stripes, tiles or scribbles."""
    rows, columns = _TILE
    tile = np.zeros((rows, columns), np.float32)
    for cells in (3, 8, 20, 50):
        field = rng.uniform(0, 12) * rng.standard_normal((cells, 4 * cells), np.float32)
        tile += cv2.resize(field, (columns, rows), interpolation=cv2.INTER_CUBIC)
    kind = one_of(rng, ("clouds", "stripes", "tiles", "scribbles"))
    if kind == "stripes":
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 40)
        y, x = np.mgrid[:rows, :columns]
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        tile += rng.uniform(4, 14) * np.sign(wave)
    elif kind == "tiles":
        tile[:: rng.integers(6, 24)] -= rng.uniform(10, 30)
        tile[:, :: rng.integers(8, 60)] -= rng.uniform(10, 30)
    elif kind == "scribbles":
        for _ in range(60):
            ends = rng.integers(0, columns, (4, 2)).astype(np.int32)
            tone = float(rng.uniform(-30, 30))
            cv2.polylines(tile, [ends], isClosed=False, color=(tone,), lineType=cv2.LINE_AA)
    return tile
