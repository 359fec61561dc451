"""The index: every version of every board with its best rows, whatever was written when."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.leaderboards import index, render
from bench.leaderboards.aggregate import Board, Row, Spread

NUMBERS = [("a", 1), ("a", 2), ("a", 10), ("b", 1)]


def row(rank: int | None, model: str, loss: str = "ctc", dataset: str = "lines") -> Row:
    score = rank and Spread(1 / (rank + 1), 0.0125)
    return Row(rank, dataset, model, loss, score, score, None, None, [], {})


def board(suite: str, version: int, *rows: Row) -> Board:
    return Board(suite, version, "", f"digits v{version}", "", {}, [0], [], list(rows))


def lines(root: Path) -> list[str]:
    return [line for line in index.page(root).splitlines() if line.startswith("| ")][2:]


def test_the_best_row_stands_in_the_index(tmp_path):
    render.write(board("a", 1, row(1, "x(size=2)"), row(2, "y")), tmp_path)
    assert lines(tmp_path) == [
        "| a | [v1](a/v1/README.md) | digits v1 | lines | x | ctc | 50.00 ± 1.25 |"
    ]
    index.write(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == index.page(tmp_path)
    assert (tmp_path / "a/v1/README.md").is_file()


def test_each_dataset_has_its_best_and_a_tie_all_of_its_own(tmp_path):
    rows = [row(1, "x"), row(1, "x", "other"), row(3, "y"), row(1, "y", dataset="signs")]
    render.write(board("a", 1, *rows), tmp_path)
    assert [line.split(" | ")[3:6] for line in lines(tmp_path)] == [
        ["lines", "x", "ctc"],
        ["lines", "x", "other"],
        ["signs", "y", "ctc"],
    ]


def test_a_board_without_a_score_stands_there_too(tmp_path):
    render.write(board("a", 1, row(None, "x")), tmp_path)
    assert lines(tmp_path) == ["| a | [v1](a/v1/README.md) | digits v1 | – | – | – | – |"]


@settings(deadline=None, max_examples=30)
@given(order=st.permutations(NUMBERS))
def test_it_is_by_suite_newest_first_in_whatever_order_boards_are_written(order):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for suite, version in order:
            render.write(board(suite, version, row(1, "x")), root)
            index.write(root)
        assert [line[2:8] for line in lines(root)] == ["a | [v", "a | [v", "a | [v", "b | [v"]
        found = [line.split("](")[1].split("/README")[0] for line in lines(root)]
        assert found == ["a/v10", "a/v2", "a/v1", "b/v1"]
        assert (root / "README.md").read_text(encoding="utf-8") == index.page(root)


def test_what_is_no_version_is_passed_over(tmp_path):
    render.write(board("a", 1, row(1, "x")), tmp_path)
    before = index.page(tmp_path)
    for name in ("v0", "v01", "v2-old", "vx"):
        copy = replace(board("a", 1, row(1, "x")), version=name[1:])
        render.write(copy, tmp_path)
    (tmp_path / "a/v3").mkdir()
    assert index.page(tmp_path) == before
