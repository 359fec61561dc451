"""The augmentation of lines of handwriting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import ImageAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_ROWS = 128
"""The height of lines in the source, which its sizes in pixels are of."""
_DEGREES, _SHEAR = 1.0, (30.0, 5.0)
_SCALES = ((0.6, 1.0), (0.6, 1.2))
_RISE, _SHIFT = 1 / 8, 0.02
_GRID, _CELLS = 0.1, 5
_SMOOTHNESS, _DEVIATION = 20.0, 0.49
_SIDE = 3
_CONTRAST, _GAMMA = 0.2, 0.2


@dataclass(frozen=True)
class Handwriting(ImageAugmentation):
    """Affine maps, bent lines, thinner and thicker strokes, contrast and gamma.

    One after the other, each with the same probability: an affine map (rotation by up to 1°, shears
    of up to 30° and 5°, scales, a shift of up to 2 %); a grid of 5×5 cells whose sides are changed
    by up to 10 %, or a smooth elastic field; dilation or erosion; contrast of 0.8 to 1.2 with
    brightness moved by up to a fifth; gamma of 0.8 to 1.2.

    It changes lines that were scaled to the height of the input, on a canvas of the same size.

    What differs from the source:

    - Lines there lie in the middle of a canvas of 128×1,024 pixels; here they fill theirs. So that
      no letters are moved out, columns are scaled by 0.6 to 1 (there, as rows: 0.6 to 1.2), the
      ends of the grid stay, and the angles of long lines are limited so that their ends rise or
      fall by at most an eighth of the height.
    - What an affine map moves in from outside is the median of the outermost pixels, which is
      paper (there: the nearest pixel, which is paper too, for there is canvas around a line).
    - Sizes in pixels are of lines of 128 rows there, and here relative to the height: dilation and
      erosion by 3 pixels, the elastic field, whose steps are of half a pixel.
    - The shift is drawn in both directions (there: always 2 %).
    - Before all this, the source scales lines by 0.75 to 1.25, with another aspect ratio of up to
      10 %. That is left out, for it would change their lengths.

    Args:
        probability: Of each of the five to be applied.
        magnitude: Strength from 0 to 1, of all but dilation and erosion.

    Source: Retsinas et al., "Best Practices for a Handwritten Text Recognition System" (DAS 2022),
    by its code.
    """

    name: ClassVar[str] = "handwriting"
    stage: ClassVar[Literal["stored", "scaled"]] = "scaled"

    probability: Fraction = 0.5
    magnitude: Fraction = 1.0

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply what is drawn, in its order."""
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
    steepest = _slope(_DEGREES) + _slope(_SHEAR[1])
    limit = min(1.0, 2 * _RISE * height / (width * steepest))
    matrix = (
        geometry.rotation(_DEGREES * turn * limit)
        @ geometry.scaling(columns, rows)
        @ geometry.shear_x(_slope(_SHEAR[0] * x))
        @ geometry.shear_y(_slope(_SHEAR[1] * y) * limit)
    )
    shift = geometry.translation(_SHIFT * right * width, _SHIFT * down * height)
    moved = shift @ geometry.centered(matrix, pixels)
    return geometry.warped(pixels, moved, geometry.edge_color(pixels))


def _bend(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    import numpy as np

    from bench.data.augmentation.operations import distortion

    if generator.random() < 1 / 2:
        columns, rows = 1 + magnitude * generator.uniform(-_GRID, _GRID, (2, _CELLS))
        return distortion.grid_distorted(pixels, columns, rows)
    height, width = pixels.shape[:2]
    side = _SMOOTHNESS * height / _ROWS
    cells = (2, math.ceil(height / side) + 1, math.ceil(width / side) + 1)
    steps = _DEVIATION * magnitude * height / _ROWS
    field = steps * generator.standard_normal(cells, np.float32)
    return distortion.elastically_distorted(pixels, *field)


def _thicken(pixels: Pixels, _magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    side = max(round(_SIDE * pixels.shape[0] / _ROWS), 2)
    change = filters.dilated if generator.random() < 1 / 2 else filters.eroded
    return change(pixels, side)


def _contrast(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    contrast, brightness = _CONTRAST * magnitude * generator.uniform(-1, 1, 2)
    return tone.scaled_values(pixels, 1 + contrast, 255 * brightness)


def _gamma(pixels: Pixels, magnitude: float, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    return tone.gamma_corrected(pixels, 1 + _GAMMA * magnitude * generator.uniform(-1, 1))
