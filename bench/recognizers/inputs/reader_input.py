"""The input of a network from outside bench: how an image becomes an array."""

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
    """How an image becomes an array (channels, height, width), float32.

    The defaults suit most networks for scene text; presets have the inputs of known projects.

    Attributes:
        height: The height in pixels.
        width: The width in pixels; 0 keeps the aspect ratio, so that widths vary.
        sizes: Sizes (height, width) in pixels, instead of `height` and `width`. Size k of these is
            used if the aspect ratio width / height rounds to k; the first for narrower images, the
            last for wider ones. Images are stretched to their size.
        color: `gray` for one channel, `rgb` or `bgr` for three channels in this order.
        library: The library that decodes images and converts them to gray; the gray values of
            Pillow and OpenCV differ.
        margin: White pixels that are added before scaling: (rows above and below, columns left and
            right).
        keep_ratio: Whether an image narrower than `width` is padded on the right instead of
            stretched; a wider one is squeezed. The ratio is always kept if `width` is 0.
        rounding: Whether the width of a scaled image is rounded up or to the nearest pixel.
        interpolation: The interpolation of scaling. `nearest`, `bilinear`, `bicubic` and `lanczos`
            are those of Pillow, which average pixels when they shrink an image. Those of OpenCV do
            not, except `opencv-area`. `opencv-area-or-linear` is that of the models of bench: it
            averages if both sides shrink.
        scaling: The values of pixels x: `signed`: x / 127.5 - 1, `unit`: x / 255, `centered`:
            x / 255 - 0.5, `imagenet`: (x / 255 - mean) / standard deviation of ImageNet, `raw`: x.
        pad: The padding on the right: a color (`gray` is 127.5, which is 0 with `signed`), a gray
            level from 0 to 255, or the last column (`edge`). With `none`, images of different
            widths are read separately.
        pad_to: With `width` 0, whether an image is padded on its own, so that its reading does not
            depend on its batch, or to the widest image of its batch.
        min_width: With `width` 0, the smallest number of columns with padding.
        multiple: With `width` 0, the number of columns with padding is a multiple of this.
        read_padding: Whether a model of bench reads padding as part of the image, as most networks
            from outside do. ONNX graphs always do.
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
        """Raise BenchError if keys contradict each other."""
        if self.scaling == "imagenet" and self.color == "gray":
            raise BenchError(
                "scaling = 'imagenet' needs three channels, but color = 'gray' has one; set "
                "another scaling or color"
            )
        if self.sizes and (self.width or self.keep_ratio):
            raise BenchError("sizes replaces width and keep_ratio; remove them")
        varies = not self.width and not self.sizes
        padded = {
            "min_width": self.min_width > 0,
            "multiple": self.multiple > 1,
            "pad_to": self.pad_to != "image",
        }
        for key, is_set in padded.items():
            if is_set and not varies:
                raise BenchError(f"{key} has an effect only if widths vary; set width = 0")
            if is_set and self.pad == "none":
                raise BenchError(f"{key} needs padding; set pad to a color or to 'edge'")
        if self.width and self.keep_ratio and self.pad == "none":
            raise BenchError("keep_ratio needs padding; set pad to a color or to 'edge'")

    @property
    def channels(self) -> int:
        """The number of channels."""
        return 1 if self.color == "gray" else 3

    def spec(self) -> dict[str, Any]:
        """Return what the input adds to keys, as JSON values."""
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
"""Presets by name.

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
    """The `input` of a recognizer in bench.toml: a preset, changed keys, or both.

    Attributes:
        preset: The name of a preset; None for the input of the mapping or model, else the defaults.
        keys: Pairs of an attribute of `ReaderInput` and its value, sorted.
    """

    preset: str | None = None
    keys: tuple[tuple[str, Any], ...] = ()

    def apply(self, default: ReaderInput) -> ReaderInput:
        """Return the preset, or `default` if there is none, with the changed keys.

        Raises:
            BenchError: A key is unknown, a value is wrong, or keys contradict each other.
        """
        base = default if self.preset is None else _preset(self.preset)
        names = [each.name for each in fields(ReaderInput)]
        for key, _ in self.keys:
            if key not in names:
                hint = did_you_mean(key, [*names, "preset"])
                raise BenchError(f"'input': there is no key '{key}' here{hint}")
        return fill(ReaderInput, {name: getattr(base, name) for name in names} | dict(self.keys))

    def toml(self) -> str | dict[str, Any]:
        """Return the value of `input` in bench.toml."""
        keys = {key: _listed(value) for key, value in self.keys}
        if self.preset is None:
            return keys
        return {"preset": self.preset, **keys} if keys else self.preset

    def __str__(self) -> str:
        """Return the input as boards print it."""
        keys = [f"{key} {value}" for key, value in self.keys]
        return " ".join([self.preset, *keys] if self.preset else keys)


def parse_input_changes(value: object) -> InputChanges:
    """Return the changes of an `input` in bench.toml.

    Args:
        value: The name of a preset, or a table such as `{ preset = "pp-ocr", height = 32 }`.

    Raises:
        BenchError: The value is neither, or there is no such preset.
    """
    if isinstance(value, InputChanges):
        return value
    if isinstance(value, str):
        value = {"preset": value}
    if not isinstance(value, dict):
        raise BenchError("write the name of a preset, or a table of keys such as height")
    keys = {key: _hashable(each) for key, each in value.items() if key != "preset"}
    preset = value.get("preset")
    if preset is not None:
        _preset(preset)
    return InputChanges(preset, tuple(sorted(keys.items())))


def input_of_training(model_input: ImageInput) -> ReaderInput:
    """Return the input of a network that bench trained: the same pixels, with padding not read."""
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
