"""A board as LaTeX tables, for a paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.printable import in_one_line, shortened
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.columns import MAIN_COSTS, board_columns, may_be_best

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column, Value

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "·": r"\textperiodcentered{}",
    "…": r"\ldots{}",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "†": r"\dag{}",
    "\0": "{}",
}
_HEAD = (
    "% Needs \\usepackage{booktabs} and \\usepackage{textcomp}; letters beyond Latin need LuaLaTeX "
    "or XeLaTeX.\n"
    "% A score is its mean over seeds, its 95 % interval as superscript and subscript, then its "
    "standard\n% deviation. Bold: entries that may have rank 1, all pairs compared together at 5 %."
)


def board_latex(board: Board) -> str:
    """Return the board as one table of all metrics, or one per metric for several test sets."""
    everything = board_columns(board)
    names = everything[:2]
    scores = [column for column in everything if column.metric]
    costs = [column for column in everything if column.key in MAIN_COSTS]
    several = len(board.columns) > 1
    groups = [[column for column in scores if column.metric == metric] for metric in board.metrics]
    groups = [group for group in groups if group] if several else [scores]
    ranking = [group for group in groups if any(c.group == "score" for c in group)]
    tables = [
        _table(board, [*names, *group, *(costs if group in ranking else [])])
        for group in [*ranking, *(group for group in groups if group not in ranking)]
    ]
    return "\n\n".join([_HEAD, *tables]) + "\n"


def escaped_latex(text: str) -> str:
    """Return `text` with escapes, so that LaTeX prints its characters."""
    # LaTeX would print two hyphens as a dash and two commas as a quotation mark.
    separated = re.sub(r"(?<=[-,])(?=[-,])", "\0", shortened(text))
    return "".join(_ESCAPES.get(letter, letter) for letter in separated)


def _table(board: Board, table_columns: Sequence[Column]) -> str:
    metric = next(column.metric for column in table_columns if column.metric)
    several = len(board.columns) > 1
    title = metric.heading if several else f"{board.columns[0].name}"
    caption = f"{board.name}: {title}, {board.protocol}."
    label = re.sub(r"[^A-Za-z0-9]+", "-", f"{board.suite}-{metric.name}").strip("-").lower()
    headings = [
        column.heading.removeprefix(f"{metric.heading} ") if several else column.heading
        for column in table_columns
    ]
    alignment = "".join("l" if column.is_text else "r" for column in table_columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped_latex(in_one_line(caption))}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        rf"{' & '.join(map(escaped_latex, headings))} \\",
        r"\midrule",
        *(
            rf"{' & '.join(_cell(board, column, index) for column in table_columns)} \\"
            for index in range(len(board.rows))
        ),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _cell(board: Board, column: Column, index: int) -> str:
    """Return the cell of a column in the row `index`."""
    value: Value = column.values[index]
    best = column.group in ("entry", "score") and may_be_best(board.rows[index])
    if column.metric and isinstance(value, Score):
        mean, high, low = (
            column.metric.format(each) for each in (value.mean, value.high, value.low)
        )
        mean = rf"\mathbf{{{mean}}}" if best else mean
        std = "" if value.std is None else rf" \pm {column.metric.format(value.std)}"
        return f"${mean}^{{{high}}}_{{{low}}}{std}$"
    text = str(value) if isinstance(value, Ranks) else column.cells[index]
    return rf"\textbf{{{escaped_latex(text)}}}" if best else escaped_latex(text)
