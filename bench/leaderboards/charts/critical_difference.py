"""The critical-difference diagram: mean ranks over test sets.

It is provided for readers who are used to it; boards do not rank by it. With few test sets its
test hardly detects a difference, it ignores the number of samples of a test set, and its verdict on
two entries depends on which others are compared (`bench docs statistics`).

Source: Demšar, "Statistical comparisons of classifiers over multiple data sets" (JMLR 7, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import WIDTH, Drawing, label, line, row_group
from bench.leaderboards.charts.forest import rank_ticks
from bench.leaderboards.charts.scales import Scale, tick_text
from bench.leaderboards.charts.svg import svg_element

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row

MIN_SETS, MIN_ROWS, MAX_ROWS = 3, 3, 20
"""Least numbers of test sets and rows of a diagram; at most the `MAX_ROWS` best rows are drawn."""
_ALPHA = 0.05
_LINE = 18.0
_WARNING = "Not the rank of the board: see bench docs statistics."
_AXIS = 190.0
"""Distance of the axis from the left and right ends, where the names of entries are."""


def critical_difference(board: Board) -> str | None:
    """Draw the mean ranks of all complete rows; bars join those without significant difference."""
    rows = [row for row in board.rows if row.rank is not None]
    names = board.column_names
    if len(names) < MIN_SETS or len(rows) < MIN_ROWS:
        return None
    sign = -1 if board.ranking_metric.higher_is_better else 1
    scores = [[sign * row.scores[board.ranked_by][name].mean for row in rows] for name in names]
    means = mean_ranks(scores)
    critical = nemenyi_critical_difference(len(rows), len(names))
    ordered = sorted(zip(means, rows, strict=True), key=lambda each: (each[0], each[1].label))
    drawn = ordered[:MAX_ROWS]
    bars = cliques([mean for mean, _ in drawn], critical)
    top = 84.0
    below = top + 20 + 9 * len(bars)
    half = -(-len(drawn) // 2)
    drawing = Drawing(
        "Critical-difference diagram over test sets",
        f"Mean ranks of the entries of {board.name} over {len(names)} test sets. A bar joins "
        f"entries whose mean ranks differ by less than {critical:.2f} (Nemenyi, 5 %). This is not "
        "the rank of the board.",
        below + _LINE * half + 44,
    )
    last = max(2, math.ceil(drawn[-1][0]))
    axis = Scale(1, last, _AXIS, WIDTH - _AXIS, rank_ticks(last))
    drawing.add(label(_AXIS, 48, _caption(critical, len(ordered), len(drawn)), "soft"))
    drawing.add(_axis(axis, top))
    for index, (mean, row) in enumerate(drawn):
        left = index < half
        level = below + _LINE * (index if left else len(drawn) - 1 - index) + 10
        drawing.add(_branch(row, mean, axis(mean), top, level, left=left))
    for number, (first, after) in enumerate(bars):
        y = top + 12 + 9 * number
        start, end = axis(drawn[first][0]) - 4, axis(drawn[after][0]) + 4
        drawing.add(svg_element("g", line(start, y, end, y, "bar stroke thick"), class_="c1"))
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
        scores: For each test set, one number per row; smaller is better.
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


def nemenyi_critical_difference(rows: int, sets: int) -> float:
    """Return the critical difference of mean ranks at 5 %: q √(k (k + 1) / 6 N).

    Args:
        rows: The number k of compared rows.
        sets: The number N of test sets.

    Source: Demšar (JMLR 7, 2006), section 3.2.2; q is the quantile of the studentized range divided
    by √2.
    """
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - _ALPHA, rows, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(rows * (rows + 1) / (6 * sets))


def cliques(means: Sequence[float], critical: float) -> list[tuple[int, int]]:
    """Return the groups of rows whose mean ranks differ by less than the critical difference.

    Args:
        means: The mean ranks in ascending order.
        critical: The critical difference.

    Returns:
        The first and the last index of each group. Groups that are part of another one and groups
        of a single row are left out.
    """
    runs: list[tuple[int, int]] = []
    for first, mean in enumerate(means):
        last = max(index for index, other in enumerate(means) if other - mean < critical)
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _caption(critical: float, rows: int, drawn: int) -> str:
    text = f"mean rank; a bar joins entries that differ by less than {critical:.2f}"
    return f"{text} (best {drawn} of {rows})" if rows > drawn else text
