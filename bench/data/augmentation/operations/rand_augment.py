"""The operations of RandAugment: functions of an image, a level in [0, 1] and a generator.

The level is the strength; directions and noise are drawn from the generator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.data.augmentation.operations import Pixels, filters, geometry, noise, tone

Operation = Callable[[Pixels, float, np.random.Generator], Pixels]

_DEGREES = 30.0
_SHEAR = (0.9, 0.2)
_TRANSLATION = (0.10, 0.30)
_BLUR, _BLUR_PER_SIDE = 4.0, 0.02
_NOISE, _NOISE_PER_SIDE = 40.0, 0.2
"""The strengths at level 1. Blur and noise are at most a share of the longer side."""


def _signed(level: float, generator: np.random.Generator) -> float:
    return -level if generator.random() < 1 / 2 else level


def _moved(pixels: Pixels, matrix: geometry.Matrix) -> Pixels:
    return geometry.warped(pixels, matrix, geometry.GRAY)


def _autocontrast(pixels: Pixels, _level: float, _generator: np.random.Generator) -> Pixels:
    return tone.autocontrast(pixels)


def _equalize(pixels: Pixels, _level: float, _generator: np.random.Generator) -> Pixels:
    return tone.equalized(pixels)


def _invert(pixels: Pixels, _level: float, _generator: np.random.Generator) -> Pixels:
    return tone.inverted(pixels)


def _rotate(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    turned = geometry.rotation(_DEGREES * _signed(level, generator))
    return _moved(pixels, geometry.fitted(turned, pixels))


def _posterize(pixels: Pixels, level: float, _generator: np.random.Generator) -> Pixels:
    return tone.posterized(pixels, 4 - int(4 * level))


def _solarize(pixels: Pixels, level: float, _generator: np.random.Generator) -> Pixels:
    return tone.solarized(pixels, 256 - int(256 * level))


def _raise_dark(pixels: Pixels, level: float, _generator: np.random.Generator) -> Pixels:
    return tone.dark_raised(pixels, int(110 * level))


def _factor(level: float, generator: np.random.Generator) -> float:
    return max(0.1, 1 + 0.9 * _signed(level, generator))


def _saturate(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    return tone.saturated(pixels, _factor(level, generator))


def _contrast(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    return tone.contrasted(pixels, _factor(level, generator))


def _brighten(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    return tone.scaled_values(pixels, _factor(level, generator))


def _shear_x(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    matrix = geometry.shear_x(_SHEAR[0] * _signed(level, generator))
    return _moved(pixels, matrix)


def _shear_y(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    matrix = geometry.shear_y(_SHEAR[1] * _signed(level, generator))
    return _moved(pixels, matrix)


def _translate_x(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    distance = _TRANSLATION[0] * _signed(level, generator) * pixels.shape[1]
    return _moved(pixels, geometry.translation(distance, 0))


def _translate_y(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    distance = _TRANSLATION[1] * _signed(level, generator) * pixels.shape[0]
    return _moved(pixels, geometry.translation(0, distance))


def _capped(value: float, pixels: Pixels, per_side: float) -> int:
    side: int = max(pixels.shape[:2])
    return round(min(value, max(1, per_side * side)))


def _blur(pixels: Pixels, level: float, _generator: np.random.Generator) -> Pixels:
    return filters.gaussian_blurred(pixels, _capped(_BLUR * level, pixels, _BLUR_PER_SIDE))


def _noise(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    rate = _capped(_NOISE * level, pixels, _NOISE_PER_SIDE)
    if not rate:
        return pixels
    # The source only has odd rates.
    quantiles = noise.poisson_quantiles(rate | 1)
    return noise.add_noise(pixels, noise.draw_noise(quantiles, pixels.shape[:2], generator))


OPERATIONS: dict[str, Operation] = {
    "autocontrast": _autocontrast,
    "equalize": _equalize,
    "invert": _invert,
    "rotate": _rotate,
    "posterize": _posterize,
    "solarize": _solarize,
    "raise dark": _raise_dark,
    "saturate": _saturate,
    "contrast": _contrast,
    "brighten": _brighten,
    "shear x": _shear_x,
    "shear y": _shear_y,
    "translate x": _translate_x,
    "translate y": _translate_y,
    "blur": _blur,
    "noise": _noise,
}
