"""Tables: columns line up on a terminal, cells stay cells in Markdown."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from unicodedata import east_asian_width

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import text_table
from bench.core.text_table import Table

letters = st.text("abc |×é漢字", max_size=6).map(str.strip)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(letters, min_size=width, max_size=width), max_size=5)
)


def plain(headers, rows, right=()) -> str:
    return Table(headers, rows, right).plain()


def shown(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def cut(line: str, ends: list[int]) -> list[str]:
    """Cut what a terminal shows at columns of its grid."""
    grid = "".join(letter + "\0" * (shown(letter) - 1) for letter in line)
    edges = [0, *ends, max(len(grid), ends[-1] if ends else 0)]
    return [grid[begin:end].replace("\0", "") for begin, end in pairwise(edges)]


def test_columns_line_up():
    assert plain(["name", "n"], [["a", "1"], ["longer", "10"]], ["n"]) == (
        "name     n\na        1\nlonger  10"
    )


def test_columns_are_flush_left_unless_named():
    assert plain(["name", "count"], [["a", "1"]]) == "name  count\na     1"
    assert plain(["a n", "a"], [["1", "2"]], ["a n", "b"]) == "a n  a\n  1  2"


def test_wide_letters_take_two_columns():
    lines = plain(["漢字", "x"], [["a", "1"], ["abcd", "2"]]).splitlines()
    assert lines == ["漢字  x", "a     1", "abcd  2"]


def test_a_table_without_rows_is_its_header():
    assert plain(["a", "b"], []) == "a  b"
    assert text_table.markdown(["a", "b"], []) == "| a | b |\n| --- | --- |"


def test_no_line_ends_in_spaces():
    drawn = plain(["a", "long header"], [["1", ""], ["", ""], ["3", "x"]])
    assert drawn.split("\n") == ["a  long header", "1", "", "3  x"]


@settings(max_examples=80)
@given(tables, st.data())
def test_every_cell_is_in_its_column(rows, data):
    width = len(rows[0]) if rows else 2
    headers = [f"h{number}" for number in range(width)]
    right = data.draw(st.lists(st.sampled_from(headers), unique=True))
    drawn = plain(headers, rows, right).split("\n")
    assert len(drawn) == len(rows) + 1
    widths = [max(map(shown, column)) for column in zip(headers, *rows, strict=True)]
    ends = list(accumulate(width + 2 for width in widths[:-1]))
    for line, cells in zip(drawn, [headers, *rows], strict=True):
        assert line == line.rstrip()
        pieces = cut(line, ends)
        assert [piece.strip() for piece in pieces] == cells
        for header, piece, cell, room in zip(headers, pieces, cells, widths, strict=True):
            if cell and header in right:
                assert shown(piece.rstrip()) == room
            elif cell:
                assert piece.startswith(cell)


def test_markdown():
    assert text_table.markdown(["name", "n"], [["a", "1"], ["b", "2"]], ["n"]) == (
        "| name | n |\n| --- | ---: |\n| a | 1 |\n| b | 2 |"
    )


@settings(max_examples=60)
@given(tables)
def test_a_markdown_row_has_the_cells_of_the_header(rows):
    width = len(rows[0]) if rows else 2
    headers = [f"h{number}" for number in range(width)]
    lines = text_table.markdown(headers, rows, ["h0"]).split("\n")
    assert len(lines) == len(rows) + 2
    split = [re.split(r"(?<!\\)\|", line) for line in lines]
    assert {len(pieces) for pieces in split} == {width + 2}
    assert all(pieces[0] == pieces[-1] == "" for pieces in split)
    assert all(re.fullmatch(r" ---:? ", piece) for piece in split[1][1:-1])
    for cells, pieces in zip(rows, split[2:], strict=True):
        assert [piece.strip().replace("\\|", "|") for piece in pieces[1:-1]] == cells


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (7_204_192, "7.20 M"),
        (12_340_000, "12.3 M"),
        (123_400_000, "123 M"),
        (9_996_000, "10.0 M"),
        (99_960_000, "100 M"),
        (999_600, "1.00 M"),
        (4_100_000_000, "4.10 G"),
        (12_345_678_900_000, "12.3 T"),
    ],
)
def test_a_magnitude_has_three_digits(count, shown):
    assert text_table.magnitude(count) == shown
