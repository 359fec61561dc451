"""Style, fonts, colors and file formats of all pictures.

The same record gives the same bytes with the same versions of matplotlib and Pillow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from PIL import Image, ImageFont

from bench.core.documents import write_bytes

BLANK, ACCENT = "#b4b4b4", "#d1341f"
_DPI = 150
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # A transcript with two dollar signs is not a formula.
    "text.parse_math": False,
}
_COLORS = (
    *("#1f77b4", "#d9650b", "#2a8f2a", "#d62728", "#8a5fbf", "#8c564b", "#d24fa6", "#0f98a8"),
    *("#8f9118", "#0b3d91", "#e0705f", "#4f9e6b", "#7b1e3a", "#7d6ba0", "#005f56", "#b8860b"),
)
"""Colors of classes, dark enough for white letters."""


def class_colors(labels: Iterable[int], classes: int) -> dict[int, str]:
    """Return the colors of blank and of labels.

    If there are at least as many colors as `classes`, a label has the same color in all pictures.
    """
    labels = sorted({*labels} - {0})
    numbers = labels if classes - 1 <= len(_COLORS) else range(1, len(labels) + 1)
    return {0: BLANK} | {
        label: _COLORS[(number - 1) % len(_COLORS)]
        for label, number in zip(labels, numbers, strict=True)
    }


def visible_token(text: str) -> str:
    """Return a token for display: a visible character if it is a space."""
    return "␣" if text == " " else text


def picture_file_name(kind: str, identity: str, ending: str) -> str:
    """Return the file name of a sample's picture, which is unique per id."""
    return f"{kind}-{quote(identity, safe='')}.{ending}"


def pillow_font(size: int) -> ImageFont.FreeTypeFont:
    """Return matplotlib's default font for Pillow."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)


@contextmanager
def figure_sheet(file: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of a size in inches; at the end of the context it is written as a PNG."""
    with style.context(["default", _STYLE]):
        figure = Figure((width, height), layout="constrained")
        yield figure
        stream = BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    _write(file, stream)


def write_png(file: Path, picture: Image.Image) -> Path:
    """Write a picture as a PNG, and return its file."""
    stream = BytesIO()
    picture.save(stream, "PNG")
    return _write(file, stream)


def write_gif(file: Path, frames: Sequence[Image.Image], milliseconds: Sequence[int]) -> Path:
    """Write frames as an endless animation, and return its file.

    Args:
        file: The file.
        frames: The frames.
        milliseconds: How long each frame is displayed.
    """
    stream = BytesIO()
    # One palette for all frames: one per frame takes ten times as long.
    palette = Image.fromarray(np.concatenate([np.asarray(each) for each in frames])).quantize()
    first, *others = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in frames]
    times = [*milliseconds]
    first.save(stream, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return _write(file, stream)


def _write(file: Path, stream: BytesIO) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, stream.getvalue())
    return file
