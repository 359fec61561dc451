"""The augmentation of ABINet's training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import ImageAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_DEGREES = 45.0
_SHEAR = (45.0, 15.0)
_DISTORTION = 0.5
_VARIANCE, _BLUR = 20, 6
_LARGEST, _MAX_HALVINGS = (512, 128), 4
"""An image is scaled to this width and height, halved up to four times."""
_JITTER, _HUE = 0.5, 0.1


@dataclass(frozen=True)
class ABINet(ImageAugmentation):
    """ABINet's own: rotation, shear or perspective; noise, blur and rescaling; jitter of colors.

    With one probability each: a rotation by up to 45°, a rotation with shears of up to 45° and 15°,
    or corners that are moved in by up to a quarter; noise of a variance of up to 20, motion blur of
    up to 6 pixels and a loss of resolution, in any order; brightness, contrast and saturation of
    0.5 to 1.5 and a hue moved by up to a tenth of a turn, in any order. Most angles are small, by a
    beta distribution. What is moved in from outside is the nearest pixel of the image.

    What differs from the source:

    - The known copies of its code draw the kind of geometry, the strength of noise and blur and the
      resolution once per run. Here all are drawn for each image, so that a training does not depend
      on one draw.
    - A moved image there has a canvas of its own size, which is then stretched to the input. Here
      both are one step and the size stays, so an input that keeps the aspect ratio keeps that of
      the image as it is stored. Scaling, by 0.5 to 2 in the source, is undone by the stretch and
      left out.
    - Resolution is lost by averaging, not by a Gaussian pyramid. Moved pixels are the nearest ones
      in a quarter of the cases and interpolated linearly in the others (there: linearly, cubically
      or by area, a quarter each; OpenCV's interpolation by area is linear here, and cubic takes
      four times as long).

    Args:
        geometry: Probability of one of the three kinds of geometry.
        deterioration: Probability of noise, blur and rescaling.
        jitter: Probability of other colors. A gray image has no saturation and hue.

    Source: Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language
    Modeling for Scene Text Recognition" (CVPR 2021), by copies of its code.
    """

    name: ClassVar[str] = "abinet"

    geometry: Fraction = 0.5
    deterioration: Fraction = 0.25
    jitter: Fraction = 0.25

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply geometry, deterioration and jitter where they are drawn."""
        if generator.random() < self.geometry:
            pixels = _moved(pixels, generator)
        if generator.random() < self.deterioration:
            pixels = _deteriorated(pixels, generator)
        if generator.random() < self.jitter:
            pixels = _jittered(pixels, generator)
        return pixels


def _symmetric(most: float, generator: np.random.Generator) -> float:
    return float(2 * generator.beta(4, 4) - 1) * most


def _asymmetric(most: float, generator: np.random.Generator) -> float:
    return float(generator.beta(1, 4)) * most


def _moved(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image that was turned, sheared or seen from the side."""
    import numpy as np

    from bench.data.augmentation.operations import geometry

    kind = generator.integers(3)
    if kind == 0:
        corners = geometry.corners(pixels)[:2]
        steps = (_DISTORTION / 2) * corners.max(1, keepdims=True) * generator.beta(1, 4, (2, 4))
        # Away from the edge at 0, and back from the other.
        matrix = geometry.perspective(pixels, np.where(corners > 0, corners - steps, steps))
    else:
        matrix = geometry.rotation(_symmetric(_DEGREES, generator))
        if kind == 1:
            x, y = (math.tan(math.radians(_symmetric(most, generator))) for most in _SHEAR)
            matrix = matrix @ geometry.shear_x(x) @ geometry.shear_y(y)
    interpolation: geometry.Interpolation = "nearest" if generator.random() < 1 / 4 else "linear"
    fitted = geometry.fitted(matrix, pixels)
    return geometry.warped(pixels, fitted, geometry.REPLICATE, interpolation)


def _deteriorated(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image with noise, blurred and of a lower resolution, in any order."""
    from bench.data.augmentation.operations import filters, noise

    for step in generator.permutation(3):
        if step == 0:
            variance = max(int(_asymmetric(_VARIANCE, generator)), 1)
            quantiles = noise.gaussian_quantiles(variance)
            pixels = noise.noisy(pixels, noise.draw_noise(quantiles, pixels.shape, generator))
        elif step == 1:
            length = max(int(_asymmetric(_BLUR, generator)), 1)
            pixels = filters.motion_blurred(pixels, length, generator.uniform(-90, 90))
        else:
            halvings = round(generator.uniform(0, _MAX_HALVINGS))
            pixels = filters.coarsened(pixels, _LARGEST[0] >> halvings, _LARGEST[1] >> halvings)
    return pixels


def _jittered(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return an image of another brightness, contrast, saturation and hue, in any order."""
    from bench.data.augmentation.operations import tone

    changes = (tone.scaled_values, tone.contrasted, tone.saturated)
    for step in generator.permutation(len(changes) + 1):
        if step < len(changes):
            factor = generator.uniform(1 - _JITTER, 1 + _JITTER)
            pixels = changes[step](pixels, factor)
        else:
            pixels = tone.shifted_hsv(pixels, generator.uniform(-_HUE, _HUE))
    return pixels
