"""The augmentation of handwritten lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import ImageAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_SOURCE_HEIGHT = 128
"""The height of lines in the source, to which its sizes in pixels refer."""
_MAX_DEGREES, _MAX_SHEAR = 1.0, (30.0, 5.0)
_SCALES = ((0.6, 1.0), (0.6, 1.2))
_MAX_RISE, _MAX_SHIFT = 1 / 8, 0.02
_MAX_STRETCH, _CELLS = 0.1, 5
_SMOOTHNESS, _DEVIATION = 20.0, 0.49
_SIDE = 3
_CONTRAST, _GAMMA = 0.2, 0.2


@dataclass(frozen=True)
class Handwriting(ImageAugmentation):
    """Affine transforms, grid or elastic distortion, dilation or erosion, contrast and gamma.

    In this order, each with the same probability:

    - an affine transform: rotation by up to 1°, shears of up to 30° (x) and 5° (y), scales, and a
      shift of up to 2 %;
    - a grid of 5×5 cells whose sides change by up to 10 %, or a smooth elastic distortion;
    - dilation or erosion;
    - contrast scaled by 0.8 to 1.2 and brightness shifted by up to a fifth of the range;
    - gamma of 0.8 to 1.2.

    It is applied after lines are scaled to the height of the input, and keeps their size.

    What differs from the source:

    - There, a line is in the middle of a canvas of 128×1,024 pixels; here it fills its canvas. To
      keep all letters inside, columns are scaled by 0.6 to 1 (there, like rows, 0.6 to 1.2), the
      ends of the grid are fixed, and the angles of long lines are limited so that their ends rise
      or fall by at most an eighth of the height.
    - An affine transform fills from outside with the median of the outermost pixels, which is paper
      (there: the nearest pixel, which is paper of the canvas).
    - Sizes in pixels are for lines of 128 rows there, and relative to the height here: dilation and
      erosion by 3 pixels, and elastic distortion with a standard deviation of half a pixel.
    - The shift is drawn in both directions (there: always 2 %).
    - The source first scales lines by 0.75 to 1.25 and changes their aspect ratio by up to 10 %.
      That is left out, because it would change lengths.

    Args:
        probability: The probability of each of the five steps; 0.5 as in the source.
        magnitude: The strength from 0 to 1 of all steps except dilation and erosion; 1 is that of
            the source.

    Source: Retsinas et al., "Best Practices for a Handwritten Text Recognition System" (DAS 2022),
    parameters from its code.
    """

    name: ClassVar[str] = "handwriting"
    stage: ClassVar[Literal["stored", "scaled"]] = "scaled"

    probability: Fraction = 0.5
    magnitude: Fraction = 1.0

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply each step in order with the same probability."""
        for operation in (_affine, _bend, _thicken, _contrast, _gamma):
            if generator.random() < self.probability:
                pixels = operation(pixels, self.magnitude, generator)
        return pixels


def _slope(degrees: float) -> float:
    return math.tan(math.radians(degrees))


def _affine(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import geometry

    height, width = pixels.shape[:2]
    turn, x, y, right, down = (magnitude * generator.uniform(-1, 1, 5)).tolist()
    columns, rows = (1 + magnitude * (generator.uniform(*ends) - 1) for ends in _SCALES)
    steepest = _slope(_MAX_DEGREES) + _slope(_MAX_SHEAR[1])
    limit = min(1.0, 2 * _MAX_RISE * height / (width * steepest))
    matrix = (
        geometry.rotation(_MAX_DEGREES * turn * limit)
        @ geometry.scaling(columns, rows)
        @ geometry.shear_x(_slope(_MAX_SHEAR[0] * x))
        @ geometry.shear_y(_slope(_MAX_SHEAR[1] * y) * limit)
    )
    shift = geometry.translation(_MAX_SHIFT * right * width, _MAX_SHIFT * down * height)
    moved = shift @ geometry.centered(matrix, pixels)
    return geometry.warped(pixels, moved, geometry.edge_color(pixels))


def _bend(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    import numpy as np

    from bench.data.augmentation.operations import distortion

    if generator.random() < 1 / 2:
        columns, rows = 1 + magnitude * generator.uniform(-_MAX_STRETCH, _MAX_STRETCH, (2, _CELLS))
        return distortion.grid_distorted(pixels, columns, rows)
    height, width = pixels.shape[:2]
    side = _SMOOTHNESS * height / _SOURCE_HEIGHT
    cells = (2, math.ceil(height / side) + 1, math.ceil(width / side) + 1)
    steps = _DEVIATION * magnitude * height / _SOURCE_HEIGHT
    field = steps * generator.standard_normal(cells, np.float32)
    return distortion.elastically_distorted(pixels, *field)


def _thicken(pixels: Pixels, _magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    side = max(round(_SIDE * pixels.shape[0] / _SOURCE_HEIGHT), 2)
    change = filters.dilated if generator.random() < 1 / 2 else filters.eroded
    return change(pixels, side)


def _contrast(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    contrast, brightness = _CONTRAST * magnitude * generator.uniform(-1, 1, 2)
    return tone.scaled_values(pixels, 1 + contrast, 255 * brightness)


def _gamma(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    return tone.gamma_corrected(pixels, 1 + _GAMMA * magnitude * generator.uniform(-1, 1))
