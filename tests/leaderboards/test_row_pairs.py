"""Pairwise comparisons of rows agree with `bench compare`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.leaderboards import comparison, row_pairs
from bench.leaderboards.formats.columns import AVERAGES
from bench.leaderboards.row_pairs import row_comparisons
from tests.references.synthetic_boards import CER, synthetic_board


@pytest.mark.parametrize(("tests", "ranked"), [(1, "sequence-accuracy"), (3, CER.name)])
def test_row_comparisons_agree_with_bench_compare(tests, ranked):
    board, counts = synthetic_board(rows=6, tests=tests, samples=60, seeds=2)
    board = replace(board, ranked_by=ranked)
    complete = [row for row in board.rows if board.is_complete(row)]
    sides = {
        row.entry: comparison.Side(
            row.label,
            [board.ranking_metric],
            {
                column: comparison.TestCounts(
                    counts[column], [s.evaluations[column] for s in row.seeds]
                )
                for column in board.column_names
            },
        )
        for row in complete
    }
    found = row_comparisons(board, counts)
    assert [(pair.a, pair.b) for pair in found] == [
        (a.entry, b.entry) for n, a in enumerate(complete) for b in complete[n + 1 :]
    ]
    for pair in found:
        verdicts = comparison.compare_sides(sides[pair.a], sides[pair.b]).verdicts
        name = AVERAGES[board.average] if tests > 1 else board.column_names[0]
        (verdict,) = (each for each in verdicts if each.test == name)
        assert (pair.difference, pair.low, pair.high, pair.p, pair.outcome) == (
            verdict.difference,
            verdict.low,
            verdict.high,
            verdict.p,
            verdict.outcome,
        )


def test_a_board_with_too_many_rows_has_no_comparisons(monkeypatch):
    board, counts = synthetic_board(rows=4, tests=1, samples=20, seeds=1)
    monkeypatch.setattr(row_pairs, "MAX_COMPARED_ROWS", 2)
    assert row_comparisons(board, counts) == []
