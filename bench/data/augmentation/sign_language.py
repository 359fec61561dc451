"""The augmentation of clips of sign language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import ClipAugmentation
from bench.core.schema import Fraction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.data.augmentation.operations import Pixels

_MIN_FRAMES, _MAX_FRAMES = 32, 230


@dataclass(frozen=True)
class SignLanguage(ClipAugmentation):
    """A random crop, a horizontal flip of half of the clips, and a length changed by up to 20 %.

    Args:
        rescale: The largest share by which a clip becomes shorter or longer; 0.2 as in the source.

    Source: code of Min et al., "Visual Alignment Constraint for Continuous Sign Language
    Recognition" (ICCV 2021).
    """

    name: ClassVar[str] = "sign-language"
    version: ClassVar[int] = 2

    rescale: Fraction = 0.2

    def choose_frames(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return the sorted numbers of randomly drawn frames, with repetition for a longer clip.

        VAC's code limits the new length to 32…230 frames. Here the limits do not apply to a clip
        that was shorter or longer than they are.
        """
        import numpy as np

        length = int(count * generator.uniform(1 - self.rescale, 1 + self.rescale))
        length = int(np.clip(length, min(count, _MIN_FRAMES), max(count, _MAX_FRAMES)))
        return np.sort(generator.choice(count, length, replace=length > count))

    def crop_corner(
        self, spare: tuple[int, int], generator: np.random.Generator
    ) -> tuple[int, int]:
        """Return a random upper left corner."""
        rows, columns = spare
        return int(generator.integers(0, rows + 1)), int(generator.integers(0, columns + 1))

    def augment(self, frames: Pixels, generator: np.random.Generator) -> Pixels:
        """Flip half of the clips horizontally."""
        mirrored = generator.random() < 1 / 2
        return frames[:, :, ::-1] if mirrored else frames
