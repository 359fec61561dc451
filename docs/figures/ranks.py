"""Draw the figure of the page `statistics`: `uv run python docs/figures/ranks.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.evaluation.statistics.averages import EntryStatistics, average_weights, compare_entries
from bench.evaluation.statistics.sample_errors import SetErrors, set_errors

ROWS = "ABCDE"
SETS = ((1200, 0.05), (600, 0.09), (250, 0.03))
"""Samples of each test set, and its share of errors of a row of average difficulty."""
FACTORS = (0.8, 0.9, 1.1, 1.35, 1.6)
"""How many errors each row makes, next to that of average difficulty."""
STEP, TOP, LEFT = 34, 74, 34
AXIS = (0.03, 0.12)
FOREST, MATRIX, RANKS = (LEFT, 210), (LEFT + 276, 34), (LEFT + 510, 34)
"""The left edge of each panel, with the width of the forest and of a cell."""
WIDTH, HEIGHT = 770, TOP + len(ROWS) * STEP + 60
STYLE = """text{font:13px sans-serif;fill:#1f2328}.s{font-size:12px;fill:#59636e}
.l{stroke:#1f2328;stroke-width:1.5}.g{stroke:#d1d9e0}.m{fill:#0969da}.i{stroke:#0969da;stroke-width:4}
.o{fill:none;stroke:#59636e}.b{fill:#0969da;fill-opacity:.35}.t{stroke:#bc4c00;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.l{stroke:#f0f6fc}
.g{stroke:#3d444d}.m{fill:#4493f8}.i{stroke:#4493f8}.b{fill:#4493f8}.o{stroke:#9198a1}.t{stroke:#f0883e}}"""


def example() -> list[SetErrors]:
    """Return sequence errors of five rows of one seed; hard samples are hard for all rows."""
    random = np.random.default_rng(1)
    tests = []
    for samples, rate in SETS:
        difficulty = random.gamma(0.5, 2, samples)
        errors = [
            (random.random(samples) < 1 - np.exp(-rate * factor * difficulty)).astype(np.int64)
            for factor in FACTORS
        ]
        tests.append(set_errors(np.ones(samples, np.int64), errors, 1))
    return tests


def significant(entries: list[EntryStatistics]) -> set[tuple[int, int]]:
    """Return the pairs (better, worse) that give these ranks, with rows in order of averages.

    Each row is better than the last ones in the example, so their numbers say which.
    """
    count = len(entries)
    pairs = {
        (row, other)
        for row, entry in enumerate(entries)
        for other in range(entry.rank_interval.worst, count)
    }
    for other, entry in enumerate(entries):
        if entry.rank_interval.best != 1 + sum(worse == other for _, worse in pairs):
            raise ValueError("the example's pairs do not follow from its ranks; choose another one")
    return pairs


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """Return a line of text."""
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{chosen}>{words}</text>'


def line(x: float, y: float, to_x: float, to_y: float, kind: str) -> str:
    """Return a line."""
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle."""
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def middle(row: int) -> float:
    """Return the height at which a row is drawn."""
    return TOP + (row + 0.5) * STEP


def forest(rates: list[float], entries: list[EntryStatistics]) -> list[str]:
    """Return the panel of averages and their intervals."""
    left, width = FOREST
    bottom = TOP + len(ROWS) * STEP

    def place(rate: float) -> float:
        return left + (rate - AXIS[0]) / (AXIS[1] - AXIS[0]) * width

    marks = [
        text(left, TOP - 34, "1. average error rate"),
        text(left, TOP - 18, "95 % interval", kind="s"),
    ]
    for tick in (0.04, 0.06, 0.08, 0.1, 0.12):
        marks.append(line(place(tick), TOP, place(tick), bottom, "g"))
        marks.append(
            text(place(tick), bottom + 16, f"{tick:.0%}".replace("%", " %"), "middle", "s")
        )
    for row, (rate, entry) in enumerate(zip(rates, entries, strict=True)):
        y = middle(row)
        marks += [
            text(left - 24, y + 4, ROWS[row]),
            line(place(entry.weighted.low), y, place(entry.weighted.high), y, "l"),
            f'<circle class="m" cx="{place(rate):.1f}" cy="{y:.1f}" r="4.5"/>',
        ]
    return marks


def matrix(pairs: set[tuple[int, int]]) -> list[str]:
    """Return the panel of all pairs: a filled cell where the row is better than the column."""
    left, cell = MATRIX
    marks = [
        text(left, TOP - 34, "2. all pairs in one test"),
        text(left, TOP - 18, "filled: row better than column", kind="s"),
    ]
    for row in range(len(ROWS)):
        marks.append(text(left - 16, middle(row) + 4, ROWS[row]))
        x = left + (row + 0.5) * cell
        marks.append(text(x, TOP + len(ROWS) * STEP + 16, ROWS[row], "middle"))
        marks += [
            box(
                left + column * cell + 3,
                middle(row) - 14,
                cell - 6,
                28,
                "m" if (row, column) in pairs else "o",
            )
            for column in range(len(ROWS))
            if column != row
        ]
    return marks


def ranks(entries: list[EntryStatistics]) -> list[str]:
    """Return the panel of rank intervals, with the ranks when a test set is left out."""
    left, cell = RANKS
    bottom = TOP + len(ROWS) * STEP
    marks = [
        text(left, TOP - 34, "3. ranks that a row may have"),
        text(left, TOP - 18, "orange: measured, one set left out", kind="s"),
    ]
    for rank in range(1, len(ROWS) + 1):
        x = left + (rank - 0.5) * cell
        marks += [line(x, TOP, x, bottom, "g"), text(x, bottom + 16, str(rank), "middle", "s")]
    for row, entry in enumerate(entries):
        y, (best, worst) = middle(row), entry.rank_interval
        marks += [
            text(left - 14, y + 4, ROWS[row]),
            box(left + (best - 1) * cell + 4, y - 9, (worst - best + 1) * cell - 8, 18, "b"),
            text(left + len(ROWS) * cell + 8, y + 4, str(entry.rank_interval)),
        ]
        if entry.leave_one_out:
            first, last = (left + (rank - 0.5) * cell for rank in entry.leave_one_out)
            marks.append(line(first - 4, y, last + 4, y, "t"))
    return marks


def figure() -> str:
    """Return the figure as SVG."""
    tests = example()
    entries = compare_entries(tests, "weighted")
    weights = average_weights(tests, "weighted")
    rates = [
        sum(weight * test.row(row).rate for weight, test in zip(weights, tests, strict=True))
        for row in range(len(ROWS))
    ]
    caption = "best rank = 1 + filled cells in its column; worst rank = 5 − filled cells in its row"
    marks = [
        *forest(rates, entries),
        *matrix(significant(entries)),
        *ranks(entries),
        text(MATRIX[0] - 16, HEIGHT - 12, caption, kind="s"),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    title = "<title>Averages with intervals, pairs that differ, and the ranks that follow</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *marks, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(figure(), encoding="utf-8")
