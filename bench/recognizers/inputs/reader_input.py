"""How an image becomes the array that a network from outside bench reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from bench.core.errors import BenchError, did_you_mean
from bench.core.schema import NonNegativeInt, PositiveInt, fill

if TYPE_CHECKING:
    from bench.core.model_input import ImageInput

Color = Literal["gray", "rgb", "bgr"]
Interpolation = Literal[
    "nearest",
    "bilinear",
    "bicubic",
    "lanczos",
    "opencv-nearest",
    "opencv-linear",
    "opencv-cubic",
    "opencv-area",
    "opencv-area-or-linear",
]
Scaling = Literal["signed", "unit", "centered", "imagenet", "raw"]
Gray = Annotated[int, msgspec.Meta(ge=0, le=255)]
Pad = Literal["none", "black", "gray", "white", "edge"] | Gray


@dataclass(frozen=True)
class ReaderInput:
    """An image as an array (channels, height, width) of float32, prepared as its authors do.

    Attributes:
        height: Rows in pixels.
        width: Columns in pixels; 0: as many as the aspect ratio makes.
        sizes: Instead of height and width: sizes (height, width), of which an image is stretched to
            the first if it is as wide as it is high or narrower, to the second if it is twice as
            wide, and so on (rounded); to the last if it is wider than all.
        color: `gray`: one channel; `rgb` and `bgr`: three in this order.
        library: What decodes the image and makes it gray. Pillow's and OpenCV's gray differ.
        margin: White pixels (rows above and below, columns left and right) around an image before
            it is scaled.
        keep_ratio: Whether an image narrower than `width` is padded on the right; a wider one is
            squeezed. It always is kept where `width` is 0.
        rounding: Whether the width of a scaled image is rounded up or to the nearest pixel.
        interpolation: How it is scaled: Pillow's nearest, bilinear, bicubic and lanczos, which
            average where they shrink; OpenCV's functions, which do not, except for area.
            `opencv-area-or-linear` averages where both sides shrink: what bench does itself.
        scaling: The range of values of pixels x: `signed`: x / 127.5 - 1, `unit`: x / 255,
            `centered`: x / 255 - 0.5, `imagenet`: `unit` less the mean of ImageNet, divided by its
            standard deviation, `raw`: x.
        pad: What is right of an image: a color (`gray` is 127.5, so 0 in `signed`), a gray level
            from 0 to 255, or its last column (`edge`). `none`: nothing; images of different widths
            are read one after the other.
        pad_to: Whether an image is padded on its own, so that its reading does not depend on its
            batch, or to the widest of its batch. Where `width` is 0.
        min_width: The fewest columns with padding, where `width` is 0.
        multiple: The number of columns with padding is a multiple of it, where `width` is 0.
        read_padding: Whether a network of bench is to read padding as a part of the image, as most
            networks from outside do. Without effect on an ONNX graph, which cannot tell.
    """

    height: PositiveInt = 32
    width: NonNegativeInt = 0
    sizes: tuple[tuple[PositiveInt, PositiveInt], ...] = ()
    color: Color = "rgb"
    library: Literal["pillow", "opencv"] = "pillow"
    margin: tuple[NonNegativeInt, NonNegativeInt] = (0, 0)
    keep_ratio: bool = False
    rounding: Literal["up", "nearest"] = "up"
    interpolation: Interpolation = "bilinear"
    scaling: Scaling = "signed"
    pad: Pad = "none"
    pad_to: Literal["image", "batch"] = "image"
    min_width: NonNegativeInt = 0
    multiple: PositiveInt = 1
    read_padding: bool = True

    def __post_init__(self) -> None:
        """Raise BenchError where keys do not go together."""
        if self.scaling == "imagenet" and self.color == "gray":
            raise BenchError(
                "scaling = 'imagenet' has a mean for each of three channels, and color = 'gray' "
                "has one; set another"
            )
        if self.sizes and (self.width or self.keep_ratio):
            raise BenchError("sizes stretches images; remove width and keep_ratio")
        varies = not self.width and not self.sizes
        padded = {
            "min_width": self.min_width > 0,
            "multiple": self.multiple > 1,
            "pad_to": self.pad_to != "image",
        }
        for key, is_set in padded.items():
            if is_set and not varies:
                raise BenchError(f"{key} has an effect only where widths vary; set width = 0")
            if is_set and self.pad == "none":
                raise BenchError(f"{key} needs padding; set pad to a color or to 'edge'")
        if self.width and self.keep_ratio and self.pad == "none":
            raise BenchError("keep_ratio needs padding; set pad to a color or to 'edge'")

    @property
    def channels(self) -> int:
        """The number of channels."""
        return 1 if self.color == "gray" else 3

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key, as JSON values."""
        return {each.name: _listed(getattr(self, each.name)) for each in fields(self)}


PRESETS: dict[str, ReaderInput] = {
    "pp-ocr": ReaderInput(
        height=48,
        color="bgr",
        library="opencv",
        interpolation="opencv-linear",
        pad="gray",
        min_width=320,
    ),
    "svtrv2": ReaderInput(
        sizes=((64, 64), (48, 96), (40, 112), (32, 128)), interpolation="bicubic"
    ),
    "clovaai": ReaderInput(width=100, color="gray", interpolation="bicubic"),
    "clovaai-pad": ReaderInput(
        width=100, color="gray", interpolation="bicubic", keep_ratio=True, pad="edge"
    ),
    "easyocr": ReaderInput(height=64, color="gray", library="opencv", interpolation="bicubic"),
    "meijieru": ReaderInput(width=100, color="gray"),
    "parseq": ReaderInput(width=128, interpolation="bicubic"),
    "vitstr": ReaderInput(height=224, width=224, color="gray", interpolation="bicubic"),
    "abinet": ReaderInput(width=128, interpolation="opencv-linear", scaling="imagenet"),
    "crnn-post": ReaderInput(
        width=100,
        library="opencv",
        interpolation="opencv-linear",
        scaling="imagenet",
        keep_ratio=True,
        pad=128,
    ),
    "nano-ocr": ReaderInput(width=128, color="gray"),
    "htr-thesis": ReaderInput(
        height=64,
        color="gray",
        library="opencv",
        interpolation="opencv-linear",
        scaling="unit",
        margin=(16, 32),
        rounding="nearest",
        pad="edge",
        min_width=1408,
    ),
}
"""Inputs by name.

Sources: `pp-ocr`: PaddleOCR's rec_image_shape 3,48,320; `svtrv2`: OpenOCR's resizing to several
sizes by round(width / height); `clovaai` and `clovaai-pad`:
github.com/clovaai/deep-text-recognition-benchmark, without and with --PAD; `easyocr`:
github.com/JaidedAI/EasyOCR, without its padding to the widest word of a page and its contrast;
`meijieru`: github.com/meijieru/crnn.pytorch; `parseq`: github.com/baudm/parseq; `vitstr`:
github.com/roatienza/deep-text-recognition-benchmark; `abinet`: github.com/FangShancheng/ABINet;
`crnn-post`: github.com/tuongtranngoc/CRNN; `nano-ocr`: the package of that name; `htr-thesis`:
github.com/resolator/diploma-master, which pads every line it tests on to 1,408 columns."""

_OF_NORMALIZATION: dict[str, Scaling] = {"signed": "signed", "unit": "unit", "imagenet": "imagenet"}


@dataclass(frozen=True)
class InputChanges:
    """What bench.toml says of an input: a preset, keys that differ from it or from another, both.

    Attributes:
        preset: The name of the preset; None: the input of what is loaded, else the defaults.
        keys: Attributes of `ReaderInput` and their values.
    """

    preset: str | None = None
    keys: tuple[tuple[str, Any], ...] = ()

    def applied(self, default: ReaderInput) -> ReaderInput:
        """Return the preset, or `default` where none is named, with these keys.

        Raises:
            BenchError: A key is unknown, a value wrong, or they do not go together.
        """
        base = default if self.preset is None else _preset(self.preset)
        known = [each.name for each in fields(ReaderInput)]
        for key, _ in self.keys:
            if key not in known:
                hint = did_you_mean(key, [*known, "preset"])
                raise BenchError(f"'input': there is no key '{key}' here{hint}")
        return fill(ReaderInput, {name: getattr(base, name) for name in known} | dict(self.keys))

    def toml(self) -> str | dict[str, Any]:
        """Return it as bench.toml spells it."""
        keys = {key: _listed(value) for key, value in self.keys}
        if self.preset is None:
            return keys
        return {"preset": self.preset, **keys} if keys else self.preset

    def __str__(self) -> str:
        """Return how boards print it."""
        keys = [f"{key} {value}" for key, value in self.keys]
        return " ".join([self.preset, *keys] if self.preset else keys)


def parse_input_changes(value: object) -> InputChanges:
    """Return the changes that the name of a preset or a table states.

    `{ preset = "pp-ocr", height = 32 }` is that preset with another height.

    Raises:
        BenchError: It is neither, or there is no such preset.
    """
    if isinstance(value, InputChanges):
        return value
    if isinstance(value, str):
        value = {"preset": value}
    if not isinstance(value, dict):
        raise BenchError("it must be the name of a preset, or a table of keys such as height")
    keys = {key: _hashable(each) for key, each in value.items() if key != "preset"}
    preset = value.get("preset")
    if preset is not None:
        _preset(preset)
    return InputChanges(preset, tuple(sorted(keys.items())))


def input_of_training(model_input: ImageInput) -> ReaderInput:
    """Return the input of a network that bench trained: the same pixels, padding not read."""
    if not model_input.width:
        pad: Pad = "edge"
    else:
        pad = 128 if model_input.keep_ratio else "none"
    return ReaderInput(
        height=model_input.height,
        width=model_input.width,
        color="rgb" if model_input.color else "gray",
        library="opencv",
        margin=model_input.margin,
        keep_ratio=bool(model_input.width) and model_input.keep_ratio,
        rounding="nearest",
        interpolation="opencv-area-or-linear",
        scaling=_OF_NORMALIZATION[model_input.normalization],
        pad=pad,
        pad_to="batch" if not model_input.width else "image",
        read_padding=False,
    )


def _preset(name: object) -> ReaderInput:
    if not isinstance(name, str) or name not in PRESETS:
        raise BenchError(f"there is no preset {name!r}{did_you_mean(str(name), PRESETS)}")
    return PRESETS[name]


def _listed(value: Any) -> Any:  # noqa: ANN401 (a value of TOML)
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _hashable(value: Any) -> Any:  # noqa: ANN401 (a value of TOML)
    return tuple(_hashable(each) for each in value) if isinstance(value, list) else value
