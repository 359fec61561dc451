"""What an augmentation is: the random choices that are made of a sample in training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.types import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.data.inputs.images import Pixels


@dataclass(frozen=True)
class Augmentation:
    """No augmentation: training reads its samples as a test does.

    Subclasses override methods, which are called once per sample and in the order in which they
    stand here. All that is random has to be drawn from `generator`.

    Attributes:
        name: What a recipe calls it.
        version: Raised when the same seeds no longer draw the same samples.
        kinds: The inputs that it can be applied to.
    """

    name: ClassVar[str] = "none"
    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[InputKind]] = frozenset({"image", "frames"})

    def choose_frames(
        self,
        count: int,
        generator: np.random.Generator,  # noqa: ARG002 (all frames are chosen)
    ) -> NDArray[np.int64]:
        """Return which frames of a clip of `count` are read, in their order."""
        import numpy as np

        return np.arange(count)

    def crop_corner(
        self,
        spare: tuple[int, int],
        generator: np.random.Generator,  # noqa: ARG002 (the crop is the middle one)
    ) -> tuple[int, int]:
        """Return the row and the column at which a crop begins; `spare` is the last of each."""
        return spare[0] // 2, spare[1] // 2

    def transform(
        self,
        frames: Pixels,
        generator: np.random.Generator,  # noqa: ARG002 (nothing is changed)
    ) -> Pixels:
        """Return the frames (T, H, W, channels) of a clip, changed all alike."""
        return frames

    def spec(self) -> dict[str, Any]:
        """Return what of a training's key the augmentation decides, as JSON values."""
        return {"name": self.name, "version": self.version, "parameters": asdict(self)}
