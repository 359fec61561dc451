"""What all pictures share: style, fonts, colors and file formats.

The same record gives the same bytes, on the same versions of matplotlib and Pillow.
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
    # A transcript may have two dollars.
    "text.parse_math": False,
}
_COLORS = (
    *("#1f77b4", "#d9650b", "#2a8f2a", "#d62728", "#8a5fbf", "#8c564b", "#d24fa6", "#0f98a8"),
    *("#8f9118", "#0b3d91", "#e0705f", "#4f9e6b", "#7b1e3a", "#7d6ba0", "#005f56", "#b8860b"),
)
"""Dark enough for white letters."""


def colors(labels: Iterable[int], classes: int) -> dict[int, str]:
    """Return the colors of blank and of some labels.

    Where there is a color for each of the `classes`, a label has the same one in all pictures.
    """
    labels = sorted({*labels} - {0})
    places = labels if classes - 1 <= len(_COLORS) else range(1, len(labels) + 1)
    return {0: BLANK} | {
        label: _COLORS[(place - 1) % len(_COLORS)]
        for label, place in zip(labels, places, strict=True)
    }


def visible(text: str) -> str:
    """Return a token as it is written into pictures: a visible character for a space."""
    return "␣" if text == " " else text


def file_name(kind: str, identity: str, ending: str) -> str:
    """Return the name of a sample's file, which no other sample has."""
    return f"{kind}-{quote(identity, safe='')}.{ending}"


def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that matplotlib draws with, for Pillow."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)


@contextmanager
def sheet(file: Path, width: float, height: float) -> Iterator[Figure]:
    """Return a figure of a size in inches to draw on, which is then written as a PNG."""
    with style.context(["default", _STYLE]):
        figure = Figure((width, height), layout="constrained")
        yield figure
        stream = BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    _keep(file, stream)


def write_png(file: Path, picture: Image.Image) -> Path:
    """Write a picture."""
    stream = BytesIO()
    picture.save(stream, "PNG")
    return _keep(file, stream)


def write_gif(file: Path, frames: Sequence[Image.Image], milliseconds: Sequence[int]) -> Path:
    """Write an animation that repeats; each frame is shown for its time."""
    stream = BytesIO()
    # One palette for all frames: one per frame takes ten times as long.
    palette = Image.fromarray(np.concatenate([np.asarray(each) for each in frames])).quantize()
    first, *others = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in frames]
    times = [*milliseconds]
    first.save(stream, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return _keep(file, stream)


def _keep(file: Path, stream: BytesIO) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, stream.getvalue())
    return file
