"""Regressions between two boards, for a check in CI that fails on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.core.errors import BenchError
from bench.leaderboards.comparison import compare_rows
from bench.leaderboards.formats.columns import AVERAGES, main_score
from bench.leaderboards.matching import matched_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.leaderboards.board import Board, Row
    from bench.leaderboards.comparison import Verdict


@dataclass(frozen=True)
class Regression:
    """A row that became worse.

    Attributes:
        label: Name of the row on the earlier board.
        kind: `worse`: its score is significantly worse on the same samples; `lost`: the later
            board does not have the row, or not its score.
        verdict: The comparison with the earlier row; None if the row is lost.
    """

    label: str
    kind: Literal["worse", "lost"]
    verdict: Verdict | None = None


def find_regressions(before: tuple[Board, Path], after: tuple[Board, Path]) -> list[Regression]:
    """Return the rows that are worse on the later board, by the metric that ranks, or lost.

    Args:
        before: The earlier board and its folder.
        after: The later board and its folder.

    Raises:
        BenchError: Protocol or test sets changed, so that scores cannot be compared.
    """
    old_board, new_board = before[0], after[0]
    if old_board.identity != new_board.identity:
        raise BenchError(
            f"protocol or test sets changed from {old_board.name} to {new_board.name}, so no "
            "score can be compared; compare boards of one version, or leave out --fail-on"
        )
    return [*_regressed_rows(before, after)]


def _regressed_rows(before: tuple[Board, Path], after: tuple[Board, Path]) -> Iterator[Regression]:
    old_board, new_board = before[0], after[0]
    ranked = old_board.ranked_by
    for old, new in matched_rows(old_board, new_board):
        if old is None or main_score(old_board, old, ranked) is None:
            continue
        if new is None or main_score(new_board, new, ranked) is None:
            yield Regression(old.label, "lost")
        elif old.evaluations != new.evaluations or old.scores != new.scores:
            verdict = _ranking_verdict(before, old, after, new)
            if verdict.outcome == "worse":
                yield Regression(old.label, "worse", verdict)


def _ranking_verdict(
    before: tuple[Board, Path], old: Row, after: tuple[Board, Path], new: Row
) -> Verdict:
    """Compare a row with its earlier state by the metric and on the average that rank."""
    board = before[0]
    several = len(board.columns) > 1
    test = AVERAGES[board.average] if several else board.columns[0].name
    verdicts = compare_rows(before, old, after, new).verdicts
    # Averages come after the test sets, one of which may have the name of an average.
    ranking = [v for v in verdicts if (v.metric, v.test) == (board.ranked_by, test)]
    return ranking[-1]
