"""A figure with axes: what all figures of boards are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.leaderboards.charts.scales import Scale, tick_text
from bench.leaderboards.charts.svg import (
    FONT_SIZE,
    element,
    fitted,
    number,
    points,
    text_width,
)
from bench.leaderboards.charts.theme import ROOT, SERIES, style_sheet

WIDTH = 760.0
RIGHT = WIDTH - 32
"""Where axes end: half a tick label is behind them."""
MARKERS = ("circle", "square", "diamond", "triangle", "triangle-down", "cross", "plus", "bar")
"""The markers of series, in their order."""
RADIUS = 5.0
_MARGIN = 4.0
"""No text is nearer to the left or the right end of a figure."""
_HEADING_SIZE = 15.5
"""The size of a heading is 14; it is bold, which is wider."""
_CLEAR = 2.0
"""How far labels are from markers."""
_LEADERS = (26.0, 44.0, 62.0, 80.0, 98.0, 116.0, 134.0)
"""How far above or below its point a label may be that a line joins with it."""
_OUTLINES: dict[str, Sequence[tuple[float, float]]] = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
    "triangle": [(0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
    "triangle-down": [(0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
    "cross": [
        *((-1.2, -0.7), (-0.7, -1.2), (0, -0.5), (0.7, -1.2), (1.2, -0.7), (0.5, 0)),
        *((1.2, 0.7), (0.7, 1.2), (0, 0.5), (-0.7, 1.2), (-1.2, 0.7), (-0.5, 0)),
    ],
    "plus": [
        *((-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4)),
        *((0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4)),
    ],
    "bar": [(-1.2, -0.5), (1.2, -0.5), (1.2, 0.5), (-1.2, 0.5)],
}


@dataclass
class Drawing:
    """The elements of a figure so far.

    Attributes:
        title: Its heading.
        about: What it shows, for those who cannot see it.
        height: Its height in CSS pixels; the width is that of all figures.
        parts: Its elements.
    """

    title: str
    about: str
    height: float
    parts: list[str] = field(default_factory=list)

    def add(self, *parts: str) -> None:
        """Add elements, above those before."""
        self.parts += parts

    def document(self) -> str:
        """Return the SVG document."""
        size = f"0 0 {number(WIDTH)} {number(self.height)}"
        return (
            element(
                "svg",
                element("title", text=self.title),
                element("desc", text=self.about),
                f"<style>{style_sheet()}</style>",
                element("rect", width=WIDTH, height=self.height, class_="paper"),
                label(16, 24, self.title, "heading"),
                *self.parts,
                xmlns="http://www.w3.org/2000/svg",
                viewBox=size,
                width=WIDTH,
                height=self.height,
                class_=ROOT,
                role="img",
            )
            + "\n"
        )


def label(
    x: float, y: float, text: str, style: str = "", anchor: str = "start", **attributes: object
) -> str:
    """Return a text whose baseline begins, ends or is centered at a point.

    It is shortened to what is between that point and the ends of the figure.
    """
    left, right = x - _MARGIN, WIDTH - _MARGIN - x
    room = {"start": right, "end": left, "middle": 2 * min(left, right)}[anchor]
    text = fitted(text, room, _HEADING_SIZE if style == "heading" else FONT_SIZE)
    return element(
        "text",
        text=text,
        x=float(x),
        y=float(y),
        class_=style or None,
        text_anchor=None if anchor == "start" else anchor,
        **attributes,
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=style)


def curve(coordinates: Iterable[tuple[float, float]], style: str) -> str:
    """Return straight lines from point to point."""
    return element("polyline", points=points(coordinates), class_=f"line {style}")


def marker(x: float, y: float, series: int = 0, radius: float = RADIUS) -> str:
    """Return the marker of a series around a point."""
    shape = MARKERS[series % len(MARKERS)]
    if shape == "circle":
        return element("circle", cx=float(x), cy=float(y), r=radius, class_="mark")
    outline = [(x + radius * dx, y + radius * dy) for dx, dy in _OUTLINES[shape]]
    return element("polygon", points=points(outline), class_="mark")


def row_group(entry: str, title: str, style: str, *parts: str) -> str:
    """Return the marks of a row of the board, with what is shown when the mouse is over them."""
    return element("g", element("title", text=title), *parts, class_=style, data_entry=entry)


def series_style(series: int) -> str:
    """Return the class of the color of a series."""
    return f"c{series % SERIES}"


def x_axis(
    scale: Scale,
    top: float,
    bottom: float,
    title: str,
    unit: Callable[[int], str] | None = None,
) -> str:
    """Return an axis below a figure, with lines at its ticks up to `top`."""
    parts = [line(scale(tick), top, scale(tick), bottom, "grid") for tick in scale.ticks]
    parts.append(line(scale.start, bottom, scale.end, bottom, "axis"))
    right = -1.0
    for tick in scale.ticks:
        text = tick_text(tick, unit=unit)
        half = text_width(text) / 2
        if scale(tick) - half > right:
            parts.append(label(scale(tick), bottom + 19, text, "soft", "middle"))
            right = scale(tick) + half + 6
    middle = (scale.start + scale.end) / 2
    return "".join([*parts, label(middle, bottom + 40, title, "soft", "middle")])


def y_axis(scale: Scale, left: float, right: float, title: str) -> str:
    """Return an axis at the left of a figure, with lines at its ticks up to `right`."""
    parts = [line(left, scale(tick), right, scale(tick), "grid") for tick in scale.ticks]
    parts += [
        label(left - 8, scale(tick) + 4, tick_text(tick), "soft", "end") for tick in scale.ticks
    ]
    return "".join([*parts, label(left, min(scale.start, scale.end) - 10, title, "soft")])


@dataclass(frozen=True)
class Box:
    """A rectangle that a label takes."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Return whether two rectangles have a point in common."""
        return not (
            self.right <= other.left
            or other.right <= self.left
            or self.bottom <= other.top
            or other.bottom <= self.top
        )

    def within(self, other: Box) -> bool:
        """Return whether no part of it is outside `other`."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


def marker_box(x: float, y: float) -> Box:
    """Return what the marker at a point takes."""
    reach = RADIUS + _CLEAR
    return Box(x - reach, y - reach, x + reach, y + reach)


def line_box(x1: float, y1: float, x2: float, y2: float) -> Box:
    """Return what a line across or down takes."""
    return Box(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1)


def placed_labels(
    wanted: Sequence[tuple[float, float, str]], taken: Iterable[Box], area: Box
) -> list[str]:
    """Return the labels of points that fit near them, and cover neither what is there nor another.

    One that does not fit beside its point is above or below it, joined with it by a line.

    Args:
        wanted: The point and the text of each label, the most important first.
        taken: What labels do not cover.
        area: Where labels may be.
    """
    boxes = [*taken]
    parts = []
    for x, y, text in wanted:
        for left, baseline, joined in _candidates(x, y, text_width(text)):
            box = Box(left, baseline - FONT_SIZE + 1, left + text_width(text), baseline + 3)
            if box.within(area) and not any(box.overlaps(each) for each in boxes):
                boxes.append(box)
                if joined:
                    middle = min(max(x, box.left), box.right)
                    end = box.bottom if box.bottom < y else box.top
                    parts.append(line(x, y, middle, end, "axis"))
                parts.append(label(left, baseline, text))
                break
    return parts


def _candidates(x: float, y: float, width: float) -> Iterator[tuple[float, float, bool]]:
    """Yield where a label may begin, and whether a line joins it with its point, the best first."""
    reach = RADIUS + _CLEAR
    right, left, centered = x + reach + 3, x - reach - 3 - width, x - width / 2
    beside = [(right, y + 4), (left, y + 4), (centered, y - reach - 5), (centered, y + reach + 13)]
    corners = [(near, y + down) for down in (-reach - 3, reach + 11) for near in (right, left)]
    for begin, baseline in [*beside, *corners]:
        yield begin, baseline, False
    for distance in _LEADERS:
        for down in (-distance, distance):
            for begin in (centered, right, left):
                yield begin, y + down, True


def legend(
    entries: Sequence[tuple[str, str, int]], left: float, top: float, right: float
) -> tuple[str, float]:
    """Return a legend in as many lines as it needs, and where it ends.

    Args:
        entries: Text, class of color and series of each marker.
        left: Where its lines begin.
        top: Where it begins.
        right: Where its lines end.
    """
    parts, x, y = [], left, top + FONT_SIZE
    for text, style, series in entries:
        width = 20 + text_width(text) + 16
        if x + width > right + 16 and x > left:
            x, y = left, y + 20
        parts.append(element("g", marker(x + 6, y - 4, series), class_=style))
        parts.append(label(x + 18, y, text))
        x += width
    return "".join(parts), y + 10
