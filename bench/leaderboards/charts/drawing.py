"""Elements of figures: drawings, axes, markers, labels and legends, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.leaderboards.charts.scales import Scale, tick_text
from bench.leaderboards.charts.svg import (
    FONT_SIZE,
    fit_text,
    svg_element,
    svg_number,
    svg_points,
    text_width,
)
from bench.leaderboards.charts.theme import ROOT, SERIES, style_sheet

WIDTH = 760.0
RIGHT = WIDTH - 32
"""The right end of axes, with space for half of the last tick label."""
MARKERS = ("circle", "square", "diamond", "triangle", "triangle-down", "cross", "plus", "bar")
"""The marker of each series, by its number."""
RADIUS = 5.0
_MARGIN = 4.0
"""The least distance of texts from the left and right ends of a figure."""
_HEADING_SIZE = 15.5
"""Font size that estimates the width of headings, which are bold and have size 14."""
_CLEAR = 2.0
"""Distance between labels and markers."""
_LEADERS = (26.0, 44.0, 62.0, 80.0, 98.0, 116.0, 134.0)
"""Vertical distances of a label from its point, if a line joins the two."""
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
    """A figure to which elements are added.

    Attributes:
        title: The heading.
        about: The description, for readers who cannot see the figure.
        height: Height in CSS pixels; all figures have the same width.
        parts: The elements, as SVG.
    """

    title: str
    about: str
    height: float
    parts: list[str] = field(default_factory=list)

    def add(self, *parts: str) -> None:
        """Add elements, which are drawn over those added before."""
        self.parts += parts

    def document(self) -> str:
        """Return the SVG document."""
        size = f"0 0 {svg_number(WIDTH)} {svg_number(self.height)}"
        return (
            svg_element(
                "svg",
                svg_element("title", text=self.title),
                svg_element("desc", text=self.about),
                f"<style>{style_sheet()}</style>",
                svg_element("rect", width=WIDTH, height=self.height, class_="paper"),
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
    """Return a text whose baseline starts, ends or is centered at a point.

    It is shortened to the space between that point and the ends of the figure.

    Args:
        x: Horizontal coordinate of the point.
        y: Vertical coordinate of the baseline.
        text: The text.
        style: The CSS class, such as `soft` or `heading`.
        anchor: The end of the text at the point: `start`, `end` or `middle`.
        attributes: Further attributes of the element.
    """
    left, right = x - _MARGIN, WIDTH - _MARGIN - x
    max_width = {"start": right, "end": left, "middle": 2 * min(left, right)}[anchor]
    text = fit_text(text, max_width, _HEADING_SIZE if style == "heading" else FONT_SIZE)
    return svg_element(
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
    return svg_element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=style)


def curve(coordinates: Iterable[tuple[float, float]], style: str) -> str:
    """Return a line through points."""
    return svg_element("polyline", points=svg_points(coordinates), class_=f"line {style}")


def marker(x: float, y: float, series: int = 0, radius: float = RADIUS) -> str:
    """Return the marker of a series, centered at a point."""
    shape = MARKERS[series % len(MARKERS)]
    if shape == "circle":
        return svg_element("circle", cx=float(x), cy=float(y), r=radius, class_="mark")
    outline = [(x + radius * dx, y + radius * dy) for dx, dy in _OUTLINES[shape]]
    return svg_element("polygon", points=svg_points(outline), class_="mark")


def row_group(entry: str, title: str, style: str, *parts: str) -> str:
    """Return the marks of a row of the board, with a title that browsers show as a tooltip."""
    return svg_element(
        "g", svg_element("title", text=title), *parts, class_=style, data_entry=entry
    )


def series_style(series: int) -> str:
    """Return the CSS class of the color of a series."""
    return f"c{series % SERIES}"


def x_axis(
    scale: Scale,
    top: float,
    bottom: float,
    title: str,
    unit: Callable[[int], str] | None = None,
) -> str:
    """Return an axis at the bottom, with grid lines at its ticks up to `top`."""
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
    """Return an axis at the left, with grid lines at its ticks up to `right`."""
    parts = [line(left, scale(tick), right, scale(tick), "grid") for tick in scale.ticks]
    parts += [
        label(left - 8, scale(tick) + 4, tick_text(tick), "soft", "end") for tick in scale.ticks
    ]
    return "".join([*parts, label(left, min(scale.start, scale.end) - 10, title, "soft")])


@dataclass(frozen=True)
class Box:
    """The rectangle of a label, a marker or a line."""

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
        """Return whether the whole rectangle is inside `other`."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


def marker_box(x: float, y: float) -> Box:
    """Return the rectangle of the marker at a point."""
    reach = RADIUS + _CLEAR
    return Box(x - reach, y - reach, x + reach, y + reach)


def line_box(x1: float, y1: float, x2: float, y2: float) -> Box:
    """Return the rectangle of a horizontal or vertical line."""
    return Box(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1)


def place_labels(
    labels: Sequence[tuple[float, float, str]], occupied: Iterable[Box], area: Box
) -> list[str]:
    """Place labels near their points without overlaps; those that do not fit are left out.

    A label that does not fit beside its point is placed above or below it, with a line to it.

    Args:
        labels: The point and the text of each label, the most important first.
        occupied: Rectangles that labels must not cover.
        area: The rectangle in which labels may be.

    Returns:
        The placed labels, as SVG.
    """
    boxes = [*occupied]
    parts = []
    for x, y, text in labels:
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
    """Yield positions of a label, the best first, and whether a line joins it with its point."""
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
    """Return a legend, and its lower end.

    Args:
        entries: Text, CSS class of the color, and series of each marker.
        left: Left end of its lines.
        top: Upper end.
        right: Right end of its lines; what does not fit starts another line.
    """
    parts, x, y = [], left, top + FONT_SIZE
    for text, style, series in entries:
        width = 20 + text_width(text) + 16
        if x + width > right + 16 and x > left:
            x, y = left, y + 20
        parts.append(svg_element("g", marker(x + 6, y - 4, series), class_=style))
        parts.append(label(x + 18, y, text))
        x += width
    return "".join(parts), y + 10
