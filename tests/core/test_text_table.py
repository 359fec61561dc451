"""Tables: columns line up on a terminal, cells stay cells in Markdown."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from unicodedata import east_asian_width

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.core import text_table
from bench.core.text_table import Styled, Table, draw

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


LONG = Table(
    ["state", "entry", "score", "cost", "why"],
    [
        [Styled("failed", "failed"), "a model · a loss of a long name", "91.85 ± 0.79", "12", "no"],
        ["done", "b", "7.00", "1", "because /a/path/that/is/much/longer/than/a/line/has/columns"],
    ],
    right=["score", "cost"],
    optional=["cost"],
)


def test_text_is_wrapped_before_anything_is_left_out():
    lines = LONG.plain(86).splitlines()
    assert lines[0].split() == LONG.headers
    assert lines[1:3] == [
        "failed  a model · a loss of a long  91.85 ± 0.79    12  no",
        "        name",
    ]
    assert "left out" not in LONG.plain(86)


def test_what_is_left_out_is_named():
    table = Table(["entry", "score", "cost"], [["a" * 20, "1" * 10, "2" * 10]], (), ["cost"])
    assert table.plain(40) == (
        f"entry                 score\n{'a' * 20}  {'1' * 10}\n"
        "(left out for width: cost; --wide shows\nall)"
    )
    assert "left out" not in table.plain(44)


def test_a_table_that_does_not_fit_is_replaced_by_its_briefer_one():
    brief = Table(["a"], [["1"]], hidden=["deviations"])
    table = Table(["a"], [["1 ± 2 and some more words of text"]], ["a"], briefer=brief)
    assert table.plain(20).startswith("a\n1\n(left out for")
    assert "±" in table.plain(40)


def test_a_column_of_text_goes_below_rows_that_leave_it_no_space():
    numbers = [f"number {n}" for n in range(5)]
    table = Table([*numbers, "about"], [[*"12345", "some words about it"]], numbers)
    assert table.plain(60).splitlines()[1:] == [
        "    about",
        "       1         2         3         4         5",
        "    some words about it",
    ]


def test_a_long_word_of_the_last_column_stays_whole():
    word = "https://example.org/a/page/with/a/long/name"
    table = Table(["", ""], [["page", f"see {word} for more"]])
    lines = table.plain(48).splitlines()
    assert lines == ["page  see", f"     {word}", "      for more"]


def test_a_long_word_of_another_column_loses_its_middle():
    table = Table(["path", "n"], [["/a/path/that/is/too/long.png", "1"]], ["n"])
    lines = table.plain(20).splitlines()
    assert lines[1].startswith("/a/path")
    assert "…" in lines[1]
    assert lines[1].endswith("long.png  1")
    assert all(shown(line) <= 20 for line in lines)
    assert "the middle of long words" in " ".join(table.plain(20).split())


def test_a_long_name_does_not_leave_a_table_of_names_alone():
    table = Table(["entry", "a", "b"], [["x" * 60, "1.00", "2.00"]], ["a", "b"], ["b", "a"])
    lines = table.plain(40).splitlines()
    assert lines[1].startswith("xxx")
    assert lines[1].endswith("…xxxxxxxxxxxxxxxx  1.00")
    assert "b" in lines[2]


def test_styles_are_color_and_nothing_else():
    colored = LONG.plain(60, color=True)
    assert "\x1b[31mfailed\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == LONG.plain(60)


def test_what_a_cell_or_a_paragraph_holds_is_never_obeyed():
    text = draw([Table(["a"], [[Styled("\x1b[2J\nb", "best")]]), "c\x1b[2J"], 80)
    assert text == "a\n\\x1b[2J\\nb\n\nc\\x1b[2J"


def test_paragraphs_are_wrapped_at_words_line_by_line():
    assert draw("one two three\n  four five six", 10) == "one two\nthree\n  four\n  five six"
    assert draw("one two three", 10, wide=True) == "one two\nthree"


@settings(max_examples=120)
@given(tables, st.integers(30, 80))
@example([["a字字字字", "a字字字字", "a字字字字", ""]], 30)
def test_no_line_is_wider_and_every_word_is_there(rows, width):
    headers = [f"h{number}" for number in range(len(rows[0]) if rows else 2)]
    drawn = Table(headers, rows).plain(width)
    assert all(shown(line) <= width for line in drawn.split("\n"))
    for row in rows:
        for cell in row:
            # A line may end at an ideograph: each is a word of its own.
            assert all(word in drawn for word in re.findall("[漢字]|[^ 漢字]+", cell))
