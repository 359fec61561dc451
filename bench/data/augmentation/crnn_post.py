"""The augmentation of a port of CRNN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import ImageAugmentation

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_DEGREES = 5.0
_BLURS, _MEDIANS = (3, 5, 7), (3, 5)
_RANGE, _SHIFT = 0.2, 20.0


@dataclass(frozen=True)
class CRNNPost(ImageAugmentation):
    """Slight rotations, blurs and colors, as a port of CRNN in a blog post has them.

    One after the other, each with its probability: a rotation by up to 5° that keeps the whole
    image, the image mirrored around it (0.3); the mean over squares of 3, 5 or 7 pixels (0.3);
    contrast of 0.8 to 1.2 and brightness moved by up to a fifth (0.3); the median over squares of 3
    or 5 pixels (0.1); hue moved by up to a ninth of half a turn, saturation and value by up to 20
    of 255 (0.3). A gray image has no hue and saturation.

    Source: github.com/tuongtranngoc/CRNN-Text-Recognition (2023), with the defaults of
    albumentations 1.3.1 where it names no range.
    """

    name: ClassVar[str] = "crnn-post"

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply the operations that are drawn, in their order."""
        for operation, probability in _OPERATIONS:
            if generator.random() < probability:
                pixels = operation(pixels, generator)
        return pixels


def _rotate(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import geometry

    turned = geometry.rotation(generator.uniform(-_DEGREES, _DEGREES))
    return geometry.warped(pixels, geometry.fitted(turned, pixels), geometry.REFLECT)


def _blur(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    return filters.box_blurred(pixels, _BLURS[generator.integers(len(_BLURS))])


def _brighten(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    contrast, brightness = generator.uniform(-_RANGE, _RANGE, 2)
    return tone.scaled_values(pixels, 1 + contrast, 255 * brightness)


def _median(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import filters

    return filters.median_blurred(pixels, _MEDIANS[generator.integers(len(_MEDIANS))])


def _color(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    from bench.data.augmentation.operations import tone

    hue, saturation, value = generator.uniform(-_SHIFT, _SHIFT, 3)
    # OpenCV, and so the source, counts hues of bytes in two degrees.
    return tone.shifted_hsv(pixels, hue / 180, saturation, value)


_OPERATIONS: tuple[tuple[Callable[[Pixels, np.random.Generator], Pixels], float], ...] = (
    (_rotate, 0.3),
    (_blur, 0.3),
    (_brighten, 0.3),
    (_median, 0.1),
    (_color, 0.3),
)
"""With their probabilities."""
