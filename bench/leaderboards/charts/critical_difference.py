"""The critical-difference diagram: mean ranks over test sets, after Demšar (JMLR 7, 2006).

It is an export for readers who are used to it, never the rank of a board: with few test sets its
test can hardly reject anything, it ignores how many samples a test set has, and its verdict on two
entries depends on which others are compared (`bench docs statistics`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import WIDTH, Drawing, label, line, row_group
from bench.leaderboards.charts.forest import rank_ticks
from bench.leaderboards.charts.scales import Scale, tick_text
from bench.leaderboards.charts.svg import element

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row

MIN_SETS, MIN_ROWS, MAX_ROWS = 3, 3, 20
"""Less has no such diagram; of more rows, those with the best mean ranks are drawn."""
_ALPHA = 0.05
_LINE = 18.0
_WARNING = "Not the rank of the board: see bench docs statistics."
_AXIS = 190.0
"""How far the axis is from both sides, where the names are."""


def critical_difference(board: Board) -> str | None:
    """Draw the mean ranks of all complete rows; a bar joins those that the test does not part."""
    rows = [row for row in board.rows if row.rank is not None]
    names = board.column_names
    if len(names) < MIN_SETS or len(rows) < MIN_ROWS:
        return None
    sign = -1 if board.primary.higher_is_better else 1
    scores = [[sign * row.scores[board.ranked_by][name].mean for row in rows] for name in names]
    means = mean_ranks(scores)
    least = nemenyi(len(rows), len(names))
    ordered = sorted(zip(means, rows, strict=True), key=lambda each: (each[0], each[1].label))
    drawn = ordered[:MAX_ROWS]
    bars = cliques([mean for mean, _ in drawn], least)
    top = 84.0
    below = top + 20 + 9 * len(bars)
    half = -(-len(drawn) // 2)
    drawing = Drawing(
        "Critical-difference diagram over test sets",
        f"Mean ranks of the entries of {board.name} over {len(names)} test sets. A bar joins "
        f"entries whose mean ranks differ by less than {least:.2f} (Nemenyi, 5 %). This is not "
        "the rank of the board.",
        below + _LINE * half + 44,
    )
    last = max(2, math.ceil(drawn[-1][0]))
    axis = Scale(1, last, _AXIS, WIDTH - _AXIS, rank_ticks(last))
    drawing.add(label(_AXIS, 48, _caption(least, len(ordered), len(drawn)), "soft"))
    drawing.add(_axis(axis, top))
    for place, (mean, row) in enumerate(drawn):
        left = place < half
        level = below + _LINE * (place if left else len(drawn) - 1 - place) + 10
        drawing.add(_branch(row, mean, axis(mean), top, level, left=left))
    for number, (first, after) in enumerate(bars):
        y = top + 12 + 9 * number
        start, end = axis(drawn[first][0]) - 4, axis(drawn[after][0]) + 4
        drawing.add(element("g", line(start, y, end, y, "bar stroke thick"), class_="c1"))
    drawing.add(label(WIDTH / 2, drawing.height - 12, _WARNING, "soft", "middle"))
    return drawing.document()


def _axis(axis: Scale, y: float) -> str:
    parts = [line(axis.start, y, axis.end, y, "axis")]
    for tick in axis.ticks:
        parts.append(line(axis(tick), y - 5, axis(tick), y, "axis"))
        parts.append(label(axis(tick), y - 10, tick_text(tick), "soft", "middle"))
    return "".join(parts)


def _branch(row: Row, mean: float, x: float, top: float, level: float, *, left: bool) -> str:
    """Return the line from a mean rank to the name of its row."""
    end = _AXIS - 8 if left else WIDTH - _AXIS + 8
    return row_group(
        row.entry,
        f"{row.label}: mean rank {mean:.2f}",
        "quiet",
        line(x, top, x, level, "stroke"),
        line(x, level, end, level, "stroke"),
        label(end - 4 if left else end + 4, level + 4, row.label, "", "end" if left else "start"),
    )


def mean_ranks(scores: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean rank of each row over test sets; equal scores share their mean rank.

    Args:
        scores: Of each test set, a number per row: the smaller, the better.
    """
    by_set = [
        [
            sum(other < score for other in several)
            + (sum(other == score for other in several) + 1) / 2
            for score in several
        ]
        for several in scores
    ]
    return [fmean(each) for each in zip(*by_set, strict=True)]


def nemenyi(rows: int, sets: int) -> float:
    """Return the critical difference of mean ranks at 5 %.

    Source: Demšar (JMLR 7, 2006), section 3.2.2: q √(k (k + 1) / 6 N), where q is the quantile of
    the studentized range divided by √2.
    """
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - _ALPHA, rows, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(rows * (rows + 1) / (6 * sets))


def cliques(means: Sequence[float], least: float) -> list[tuple[int, int]]:
    """Return the longest runs of rows, in order of mean rank, that differ by less than `least`.

    Of each, the first and the last place; runs within another are left out, and single rows.
    """
    runs: list[tuple[int, int]] = []
    for first, mean in enumerate(means):
        last = max(place for place, other in enumerate(means) if other - mean < least)
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _caption(least: float, rows: int, drawn: int) -> str:
    text = f"mean rank; a bar joins what differs by less than {least:.2f}"
    return f"{text} (best {drawn} of {rows})" if rows > drawn else text
