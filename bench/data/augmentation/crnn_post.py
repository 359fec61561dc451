"""The augmentation of a port of CRNN in a blog post."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import ImageAugmentation

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_MAX_DEGREES = 5.0
_BLUR_SIDES, _MEDIAN_SIDES = (3, 5, 7), (3, 5)
_MAX_CHANGE, _MAX_SHIFT = 0.2, 20.0


@dataclass(frozen=True)
class CRNNPost(ImageAugmentation):
    """Slight rotations, blurs and color shifts, as in a port of CRNN in a blog post.

    In this order, each with the probability in parentheses:

    - a rotation by up to 5° that keeps the whole image, mirrored beyond its edges (0.3);
    - a box blur over squares of 3, 5 or 7 pixels (0.3);
    - contrast scaled by 0.8 to 1.2 and brightness shifted by up to a fifth of the range (0.3);
    - a median blur over squares of 3 or 5 pixels (0.1);
    - hue shifted by up to 40°, saturation and value by up to 20 of 255 (0.3). Gray images have
      neither hue nor saturation.

    Source: github.com/tuongtranngoc/CRNN-Text-Recognition (2023), with the defaults of
    albumentations 1.3.1 where it gives no range.
    """

    name: ClassVar[str] = "crnn-post"

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply each operation in order with its probability."""
        for operation, probability in _OPERATIONS:
            if generator.random() < probability:
                pixels = operation(pixels, generator)
        return pixels


def _rotate(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import geometry

    turned = geometry.rotation(generator.uniform(-_MAX_DEGREES, _MAX_DEGREES))
    return geometry.warped(pixels, geometry.fitted(turned, pixels), geometry.REFLECT)


def _blur(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    return filters.box_blurred(pixels, _BLUR_SIDES[generator.integers(len(_BLUR_SIDES))])


def _brighten(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    contrast, brightness = generator.uniform(-_MAX_CHANGE, _MAX_CHANGE, 2)
    return tone.scaled_values(pixels, 1 + contrast, 255 * brightness)


def _median(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    return filters.median_blurred(pixels, _MEDIAN_SIDES[generator.integers(len(_MEDIAN_SIDES))])


def _color(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    hue, saturation, value = generator.uniform(-_MAX_SHIFT, _MAX_SHIFT, 3)
    # The source uses OpenCV, whose 8-bit hues have a unit of two degrees.
    return tone.shifted_hsv(pixels, hue / 180, saturation, value)


_OPERATIONS: tuple[tuple[Callable[[Pixels, np.random.Generator], Pixels], float], ...] = (
    (_rotate, 0.3),
    (_blur, 0.3),
    (_brighten, 0.3),
    (_median, 0.1),
    (_color, 0.3),
)
"""The operations with their probabilities."""
