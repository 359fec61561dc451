"""Scores on the parts of each test set: by length, by aspect ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import WIDTH, Drawing, label, line, y_axis
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scales import linear
from bench.leaderboards.charts.scores import limits, shown
from bench.leaderboards.charts.svg import fitted
from bench.leaderboards.formats.columns import score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardColumn, Row, Score

_PANEL, _GAP = 260.0, 72.0


def by_length(board: Board) -> str | None:
    """Draw the score by the length of the reference."""
    return _draw(board, "length", "length of the reference")


def by_aspect_ratio(board: Board) -> str | None:
    """Draw the score by the width of the picture divided by its height."""
    return _draw(board, "aspect ratio", "width of the picture / its height")


def _draw(board: Board, by: str, noun: str) -> str | None:
    panels = [column for column in board.columns if len(column.slices.get(by, ())) > 1]
    rows = [
        row
        for row in board.rows
        if any(row.slices.get(column.name, {}).get(by) for column in panels)
    ]
    if not rows:
        return None
    metric, palette = board.primary, Palette(rows)
    key, top = palette.legend(16, 36, WIDTH - 16)
    across = 1 if len(panels) == 1 else 2
    lines = -(-len(panels) // across)
    drawing = Drawing(
        f"{metric.title} by {noun}",
        f"The {metric.title} of each entry of {board.name} on the samples of each {noun}, with "
        "95 % intervals, for each test set.",
        top + lines * (_PANEL + _GAP) + 8,
    )
    drawing.add(key)
    width = (WIDTH - 32) / across
    for place, column in enumerate(panels):
        left = 16 + 44 + (place % across) * width
        drawing.add(
            *_panel(
                board,
                column,
                by,
                palette,
                left,
                left + width - 60,
                top + 48 + (place // across) * (_PANEL + _GAP),
                len(panels) > 1,
            )
        )
    return drawing.document()


def _panel(
    board: Board,
    column: BoardColumn,
    by: str,
    palette: Palette,
    left: float,
    right: float,
    top: float,
    named: bool,
) -> list[str]:
    """Draw one test set."""
    metric, groups = board.primary, column.slices[by]
    bottom = top + _PANEL - 66
    scores: list[tuple[Row, Sequence[Score | None]]] = [
        (row, row.slices.get(column.name, {}).get(by, [])) for row in palette.ordered()
    ]
    ends = [
        shown(metric, end)
        for _, several in scores
        for score in several
        if score
        for end in (score.low, score.high)
    ]
    y = linear(ends, bottom, top, **limits(metric), count=5)
    step = (right - left) / len(groups)
    heading = f"{column.name}, {metric.heading}" if named else metric.heading
    parts = [y_axis(y, left, right, heading)]
    for n, group in enumerate(groups):
        middle = left + step * (n + 0.5)
        parts.append(label(middle, bottom + 18, fitted(group.name, step), "soft", "middle"))
        parts.append(label(middle, bottom + 34, f"{group.samples:,}", "soft", "middle"))
    shift = min(6.0, step / 3 / max(1, len(palette.colored)))
    for row, several in scores:
        series = palette.series(row)
        offset = 0.0 if series is None else (series - (len(palette.colored) - 1) / 2) * shift
        places, intervals, texts = [], [], []
        for n, (group, score) in enumerate(zip(groups, several, strict=False)):
            if score is None:
                continue
            x = left + step * (n + 0.5) + offset
            places.append((x, y(shown(metric, score.mean))))
            texts.append(f"{group.name}: {score_text(metric, score)}")
            if series is not None:
                low, high = (y(shown(metric, end)) for end in (score.low, score.high))
                intervals.append(line(x, low, x, high, "bar stroke faint"))
        if places:
            title = f"{row.label} on {column.name}; {'; '.join(texts)}"
            parts.append(palette.line(row, title, places, intervals))
    return parts
