"""The augmentation of ABINet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import ImageAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_MAX_DEGREES = 45.0
_MAX_SHEAR = (45.0, 15.0)
_DISTORTION = 0.5
_MAX_VARIANCE, _MAX_BLUR = 20, 6
_MAX_SIZE, _MAX_HALVINGS = (512, 128), 4
"""An image is scaled to this width and height, halved up to four times."""
_JITTER, _HUE = 0.5, 0.1


@dataclass(frozen=True)
class ABINet(ImageAugmentation):
    """ABINet's augmentation: rotation, shear or perspective; noise, blur, rescaling; color jitter.

    Three steps, each with its own probability:

    - geometry: a rotation by up to 45°, a rotation with shears of up to 45° (x) and 15° (y), or a
      perspective with corners moved inward by up to a quarter of the side. Angles are drawn from a
      beta distribution, so most are small. Pixels from outside the image repeat its edge.
    - deterioration: Gaussian noise of a variance of up to 20, motion blur of up to 6 pixels, and a
      loss of resolution, in random order.
    - jitter: brightness, contrast and saturation scaled by 0.5 to 1.5, and hue shifted by up to a
      tenth of a turn, in random order.

    What differs from the source:

    - The known copies of its code draw the kind of geometry, the strength of noise and blur and the
      resolution once per run. Here they are drawn per image, so that a training does not depend on
      one draw.
    - There, a rotated or sheared image has a larger canvas, which is then stretched to the input.
      Here both are one step that keeps the size, so an input that keeps the aspect ratio keeps that
      of the stored image. Scaling by 0.5 to 2 is left out, because the stretch undoes it.
    - Resolution is reduced by averaging, not by a Gaussian pyramid. Geometry uses the nearest pixel
      in a quarter of the cases and linear interpolation otherwise (there: nearest, linear, cubic
      and area, a quarter each; area interpolation of OpenCV is linear here, and cubic takes four
      times as long).

    Args:
        geometry: The probability of one of the three kinds of geometry; 0.5 as in the source.
        deterioration: The probability of noise, blur and rescaling; 0.25 as in the source.
        jitter: The probability of color jitter; 0.25 as in the source. Saturation and hue do not
            change gray images.

    Source: Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language
    Modeling for Scene Text Recognition" (CVPR 2021); parameters from copies of its code.
    """

    name: ClassVar[str] = "abinet"

    geometry: Fraction = 0.5
    deterioration: Fraction = 0.25
    jitter: Fraction = 0.25

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply geometry, deterioration and jitter, each with its probability."""
        if generator.random() < self.geometry:
            pixels = _moved(pixels, generator)
        if generator.random() < self.deterioration:
            pixels = _deteriorated(pixels, generator)
        if generator.random() < self.jitter:
            pixels = _jittered(pixels, generator)
        return pixels


def _symmetric(bound: float, generator: np.random.Generator) -> float:
    return float(2 * generator.beta(4, 4) - 1) * bound


def _asymmetric(bound: float, generator: np.random.Generator) -> float:
    return float(generator.beta(1, 4)) * bound


def _moved(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image after a random rotation, shear or perspective."""
    import numpy as np

    from bench.data.augmentation.operations import geometry

    kind = generator.integers(3)
    if kind == 0:
        corners = geometry.corners(pixels)[:2]
        steps = (_DISTORTION / 2) * corners.max(1, keepdims=True) * generator.beta(1, 4, (2, 4))
        # Inward: to larger coordinates from the edge at 0, to smaller ones from the other edge.
        matrix = geometry.perspective(pixels, np.where(corners > 0, corners - steps, steps))
    else:
        matrix = geometry.rotation(_symmetric(_MAX_DEGREES, generator))
        if kind == 1:
            x, y = (math.tan(math.radians(_symmetric(bound, generator))) for bound in _MAX_SHEAR)
            matrix = matrix @ geometry.shear_x(x) @ geometry.shear_y(y)
    interpolation: geometry.Interpolation = "nearest" if generator.random() < 1 / 4 else "linear"
    fitted = geometry.fitted(matrix, pixels)
    return geometry.warped(pixels, fitted, geometry.REPLICATE, interpolation)


def _deteriorated(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image after noise, motion blur and a loss of resolution, in random order."""
    from bench.data.augmentation.operations import filters, noise

    for step in generator.permutation(3):
        if step == 0:
            variance = max(int(_asymmetric(_MAX_VARIANCE, generator)), 1)
            quantiles = noise.gaussian_quantiles(variance)
            pixels = noise.add_noise(pixels, noise.draw_noise(quantiles, pixels.shape, generator))
        elif step == 1:
            length = max(int(_asymmetric(_MAX_BLUR, generator)), 1)
            pixels = filters.motion_blurred(pixels, length, generator.uniform(-90, 90))
        else:
            halvings = round(generator.uniform(0, _MAX_HALVINGS))
            pixels = filters.coarsened(pixels, _MAX_SIZE[0] >> halvings, _MAX_SIZE[1] >> halvings)
    return pixels


def _jittered(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image with random brightness, contrast, saturation and hue, in random order."""
    from bench.data.augmentation.operations import tone

    changes = (tone.scaled_values, tone.contrasted, tone.saturated)
    for step in generator.permutation(len(changes) + 1):
        if step < len(changes):
            factor = generator.uniform(1 - _JITTER, 1 + _JITTER)
            pixels = changes[step](pixels, factor)
        else:
            pixels = tone.shifted_hsv(pixels, generator.uniform(-_HUE, _HUE))
    return pixels
