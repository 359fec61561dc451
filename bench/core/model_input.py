"""The input of a network: how pixels become a tensor of a size, color and range of values.

A model declares the input that it was made for; an entry of a suite may override parts of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, TypeVar, cast

from bench.core.errors import BenchError
from bench.core.schema import NonNegativeInt, PositiveInt, fill
from bench.core.types import InputKind

Normalization = Literal["signed", "unit", "imagenet"]
"""`signed`: values in [-1, 1]; `unit`: in [0, 1]; `imagenet`: `unit`, then the mean of ImageNet
subtracted and divided by its standard deviation, per channel, as torchvision's weights expect."""


@dataclass(frozen=True)
class ImageInput:
    """An image of a word or a line as a tensor (channels, height, width).

    Attributes:
        height: Rows in pixels. 32 is the usual height of networks for scene text.
        width: Columns in pixels. 0: each image is as wide as its aspect ratio makes it, and a batch
            is padded on the right with the last column of each image.
        color: Whether there are three channels (red, green, blue) instead of one (gray).
        keep_ratio: Whether the aspect ratio is kept: an image narrower than `width` is padded on
            the right with gray, a wider one is squeezed. It has no effect where `width` is 0.
        normalization: The range of values.
        margin: White pixels (rows above and below, columns left and right) that are put around an
            image before it is scaled.
    """

    kind: ClassVar[InputKind] = "image"

    height: PositiveInt = 32
    width: NonNegativeInt = 100
    color: bool = False
    keep_ratio: bool = False
    normalization: Normalization = "signed"
    margin: tuple[NonNegativeInt, NonNegativeInt] = (0, 0)

    def __post_init__(self) -> None:
        """Raise BenchError where ImageNet's three means would normalize one channel."""
        if self.normalization == "imagenet" and not self.color:
            raise BenchError(
                "normalization = 'imagenet' requires three channels, but the input is gray; set "
                "color = true, or normalization to 'signed' or 'unit'"
            )

    @property
    def channels(self) -> int:
        """The number of channels."""
        return 3 if self.color else 1

    @property
    def label(self) -> str:
        """The text of this input on boards and in listings, such as `32×100 gray`."""
        size = f"{self.height}×{self.width}" if self.width else f"{self.height} high"
        words = [f"{size} {'color' if self.color else 'gray'}"]
        if self.keep_ratio and self.width:
            words.append("ratio kept")
        if self.margin != (0, 0):
            words.append("margin {}×{}".format(*self.margin))
        return ", ".join([*words, *_named(self.normalization)])

    def spec(self) -> dict[str, Any]:
        """Return what the input adds to the key of a training, as JSON values."""
        return {"kind": self.kind, **asdict(self), "margin": [*self.margin]}


@dataclass(frozen=True)
class FrameInput:
    """The frames of a clip as a tensor (frames, channels, height, width).

    Attributes:
        size: Rows and columns in pixels to which each frame is scaled. 0: frames are not scaled.
        crop: Rows and columns in pixels that are cropped from the scaled frame: from the center,
            unless an augmentation moves the crop. 0: the whole frame.
        normalization: The range of values.
    """

    kind: ClassVar[InputKind] = "frames"

    size: NonNegativeInt = 0
    crop: NonNegativeInt = 0
    normalization: Normalization = "signed"

    def __post_init__(self) -> None:
        """Raise BenchError where the crop is larger than the frame."""
        if self.size and self.crop > self.size:
            raise BenchError(
                f"crop = {self.crop} is larger than size = {self.size}; lower crop or raise size"
            )

    @property
    def label(self) -> str:
        """The text of this input on boards, such as `256×256 cropped to 224×224`."""
        size = f"{self.size}×{self.size}" if self.size else "frames as they are"
        crop = f" cropped to {self.crop}×{self.crop}" if self.crop else ""
        return ", ".join([size + crop, *_named(self.normalization)])

    def spec(self) -> dict[str, Any]:
        """Return what the input adds to the key of a training, as JSON values."""
        return {"kind": self.kind, **asdict(self)}


Input = ImageInput | FrameInput
InputT = TypeVar("InputT", ImageInput, FrameInput)


def parse_input(default: InputT, overrides: dict[str, Any]) -> InputT:
    """Return `default` with some of its values replaced by those of a TOML table.

    Args:
        default: The input that the model was made for.
        overrides: Names of attributes and their values; what it does not name stays as it is.

    Raises:
        SchemaError: A key is unknown, or a value has a wrong type or range.
        BenchError: The values contradict each other.
    """
    return fill(type(default), asdict(default) | overrides)


def input_of_spec(spec: dict[str, Any]) -> Input:
    """Return the input with this `spec()`.

    Raises:
        SchemaError: A key is unknown, or a value has a wrong type or range.
    """
    values = dict(spec)
    kind: Any = ImageInput if values.pop("kind") == ImageInput.kind else FrameInput
    return cast("Input", fill(kind, values))


def _named(normalization: Normalization) -> list[str]:
    """Return the normalization, unless it is the usual one."""
    return [] if normalization == "signed" else [normalization]
