"""RandAugment for images of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from bench.core.components import ImageAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np

    from bench.data.augmentation.operations import Pixels

_MAX_LEVEL = 10


@dataclass(frozen=True)
class SceneText(ImageAugmentation):
    """RandAugment with PARSeq's operations: geometry, contrast, color, blur and noise.

    Per image, some of 16 operations are drawn without repetition, and each is applied with a
    probability: autocontrast, equalization, inversion, rotation, posterization, solarization,
    raised dark values, saturation, contrast, brightness, two shears, two translations, Gaussian
    blur and Poisson noise. Pixels from outside the image are gray (128), as in the source.

    What differs from the source:

    - There, a rotated image has a larger canvas, which is then stretched to the input. Here both
      are one step that keeps the size, so an input that keeps the aspect ratio keeps that of the
      stored image.
    - At magnitude 0 there is no noise (there: noise of rate 1).
    - Geometry uses linear interpolation (there: linear or, in half of the cases, cubic, which takes
      four times as long). Blur is an exact Gaussian (there: Pillow's approximation by boxes).

    Args:
        operations: The number of operations that are drawn per image; 3 as in the source.
        magnitude: The strength from 0 to 10 of the operations that have one. 5, as in the source,
            means rotations of 15°, shears of 0.45 (x) and 0.1 (y), translations of 5 % of the width
            and 15 % of the height, saturation, contrast and brightness changed by 45 %, a blur of
            2 pixels and noise of rate 20. Images of less than 100 pixels have less blur and noise.
        probability: The probability that a drawn operation is applied.

    Source: Bautista and Atienza, "Scene Text Recognition with Permuted Autoregressive Sequence
    Models" (ECCV 2022), parameters from its code; Cubuk et al., "RandAugment" (CVPR workshops
    2020).
    """

    name: ClassVar[str] = "scene-text"

    operations: Annotated[int, msgspec.Meta(ge=1, le=16)] = 3
    magnitude: Annotated[float, msgspec.Meta(ge=0, le=_MAX_LEVEL)] = 5.0
    probability: Fraction = 0.5

    def augment(self, pixels: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply the drawn operations in order."""
        from bench.data.augmentation.operations.rand_augment import OPERATIONS

        listed = [*OPERATIONS.values()]
        for number in generator.permutation(len(listed))[: self.operations].tolist():
            if generator.random() < self.probability:
                pixels = listed[number](pixels, self.magnitude / _MAX_LEVEL, generator)
        return pixels
