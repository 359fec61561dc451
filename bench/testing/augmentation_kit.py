"""The contract of augmentations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.core.components import Augmentation, ClipAugmentation, ImageAugmentation
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.timing import milliseconds

_SEEDS = range(8)
_SIZES = ((32, 100), (32, 100, 3), (1, 1), (3, 2, 3), (64, 7))
"""Heights and widths of gray and color images, tiny and narrow ones among them."""
_CLIP = (6, 16, 16, 3)


def augmentation_checks(augmentation: Augmentation | str) -> list[Check]:
    """Return the checks of an augmentation, or that of a name, for `pytest.mark.parametrize`."""
    return AugmentationKit(component_of("augmentation", augmentation)).tests()


def check_augmentation(augmentation: Augmentation | str) -> list[CheckResult]:
    """Check an augmentation, or that of a name; return the result of each check."""
    return AugmentationKit(component_of("augmentation", augmentation)).run()


class AugmentationKit(ComponentKit[Augmentation]):
    """What training requires of an augmentation."""

    def exercise(self) -> None:
        """Augment a few images or clips."""
        for pixels in self._samples():
            self._augment(pixels, 0)

    @requires("The augmented pixels are uint8 and of the same size, for tiny images too.")
    def size(self) -> None:
        """Augment images of several sizes by several draws."""
        for pixels in self._samples():
            for seed in _SEEDS:
                augmented = self._augment(pixels, seed)
                if augmented.dtype != np.uint8 or augmented.shape != pixels.shape:
                    raise ContractError(
                        f"pixels {pixels.shape} of uint8 were augmented to {augmented.shape} of "
                        f"{augmented.dtype}; return an array of uint8 of the same size"
                    )

    @requires("The given pixels are not written to.")
    def input_kept(self) -> None:
        """Compare writable pixels before and after they are augmented."""
        for pixels in self._samples():
            writable = pixels.copy()
            for seed in _SEEDS:
                self._augment(writable, seed)
            if not np.array_equal(writable, pixels):
                raise ContractError(
                    "it writes to the pixels that it is given, which other epochs read again; "
                    "change a copy"
                )

    @requires("All random choices are drawn from the generator that is given.")
    def determinism(self) -> None:
        """Augment twice from one seed."""
        for pixels in self._samples():
            for seed in _SEEDS:
                first, second = (self._augment(pixels, seed) for _ in range(2))
                if not np.array_equal(first, second):
                    raise ContractError(
                        "two augmentations from one generator differ; draw from `generator` alone"
                    )

    @requires("Some draws change the pixels.")
    def change(self) -> None:
        """Compare augmented pixels with the given ones."""
        samples = [*self._samples()]
        largest = max(samples, key=lambda pixels: pixels.size)
        if all(np.array_equal(self._augment(largest, seed), largest) for seed in range(100)):
            raise ContractError("a hundred draws changed nothing; override augment()")

    @informs("How long one sample takes.")
    def speed(self) -> str:
        """Time the augmentation of one image or clip."""
        pixels = max(self._samples(), key=lambda pixels: pixels.size)
        time = milliseconds(lambda: [self._augment(pixels, seed) for seed in _SEEDS])
        size = "×".join(map(str, pixels.shape))
        return f"{time / len(_SEEDS):.2f} ms for pixels {size} on this CPU"

    def _samples(self) -> Iterator[NDArray[np.uint8]]:
        """Yield pixels that may not be written to."""
        generator = np.random.default_rng(0)
        sizes = _SIZES if self.component.accepts == "image" else (_CLIP,)
        for size in sizes:
            pixels = generator.integers(0, 256, size, dtype=np.uint8)
            pixels.flags.writeable = False
            yield pixels

    def _augment(self, pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        generator = np.random.default_rng(seed)
        if self.component.accepts == "image":
            return cast("ImageAugmentation", self.component).augment(pixels, generator)
        clip = cast("ClipAugmentation", self.component)
        frames = clip.choose_frames(len(pixels), generator)
        if not ((frames >= 0) & (frames < len(pixels))).all() or not len(frames):
            raise ContractError(
                f"choose_frames({len(pixels)}) returned {frames.tolist()}; return at least one "
                "number of a frame, in order of time"
            )
        clip.crop_corner((4, 4), generator)
        return clip.augment(pixels, generator)
