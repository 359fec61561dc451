"""The preprocessing of a network in sentences, for people who implement it in other programs."""

from __future__ import annotations

from bench.core.model_input import FrameInput, ImageInput, Input, Normalization

_SCALING = "averaging pixel areas where no side grows (OpenCV's INTER_AREA), else bilinearly"
_VALUES: dict[Normalization, str] = {
    "signed": "Divide the values, 0 to 255, by 127.5 and subtract 1.",
    "unit": "Divide the values, 0 to 255, by 255.",
    "imagenet": "Divide the values, 0 to 255, by 255, subtract (0.485, 0.456, 0.406) and divide by "
    "(0.229, 0.224, 0.225), per channel.",
}


def preprocessing_steps(model_input: Input, channels: int) -> list[str]:
    """Return the steps from an encoded image, or the frames of a clip, to a tensor, in order.

    Args:
        model_input: The input of the network.
        channels: The number of channels of its tensor.
    """
    if isinstance(model_input, ImageInput):
        steps = _image_steps(model_input)
        layout = "(batch, channels, height, width)"
    else:
        steps = _frame_steps(model_input, channels)
        layout = "(batch, frames, channels, height, width)"
    return [*steps, _VALUES[model_input.normalization], f"Arrange as float32 {layout}."]


def _image_steps(model_input: ImageInput) -> list[str]:
    steps = [f"Decode the image to {_colors(model_input.channels)}, as stored, not turned by EXIF."]
    rows, columns = model_input.margin
    if (rows, columns) != (0, 0):
        steps.append(
            f"Put {rows} white rows above and below and {columns} white columns left and right."
        )
    height, width = model_input.height, model_input.width
    if width and not model_input.keep_ratio:
        return [*steps, f"Scale to {height} rows and {width} columns, {_SCALING}."]
    bound = f", at most {width}" if width else ""
    steps.append(
        f"Scale to {height} rows and round(width · {height} / height) columns, at least 1{bound}, "
        f"{_SCALING}; this number of columns is its length."
    )
    if width:
        return [*steps, f"Fill on the right with gray (128) to {width} columns."]
    return [*steps, "In a batch, repeat the last column of narrower images on the right."]


def _frame_steps(model_input: FrameInput, channels: int) -> list[str]:
    steps = [f"Decode each frame to {_colors(channels)}."]
    if size := model_input.size:
        steps.append(f"Scale each frame to {size} rows and {size} columns, {_SCALING}.")
    if crop := model_input.crop:
        steps.append(f"Cut {crop} rows and {crop} columns out of the middle.")
    return [*steps, "In a batch, add black frames to shorter clips; lengths count the others."]


def _colors(channels: int) -> str:
    return "gray" if channels == 1 else "red, green and blue, in this order"
