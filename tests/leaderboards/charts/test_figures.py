"""Figures of boards: their content, their layout, and that their bytes are reproducible."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.leaderboards import board_files
from bench.leaderboards.board import Board, Score, SliceGroup
from bench.leaderboards.charts import FIGURES, board_figures
from bench.leaderboards.charts.drawing import Box
from bench.leaderboards.charts.svg import text_width
from bench.leaderboards.charts.theme import DARK, LIGHT, SERIES

from ...references.synthetic_boards import synthetic_board

HOSTILE = '<script>alert("x")</script> & \x1b[31m\ufffe' + "W" * 90
SVG = "{http://www.w3.org/2000/svg}"
TAGS = {
    *("svg", "title", "desc", "style", "g", "rect"),
    *("text", "line", "polyline", "polygon", "circle"),
}
ALL_BYTES = """
import sys
from bench.leaderboards.charts import board_figures
from tests.references.synthetic_boards import synthetic_board
board, _ = synthetic_board(8, 3, 30, 2)
sys.stdout.buffer.write("".join(board_figures(board).values()).encode())
"""


def with_blanks(board: Board) -> Board:
    """Return the board with a ratio of blank frames for each trained row."""
    rows = [
        replace(
            row,
            seeds=[replace(each, blank_ratios={"iiit5k": 0.1 + n / 100}) for each in row.seeds]
            if row.origin == "trained"
            else row.seeds,
        )
        for n, row in enumerate(board.rows)
    ]
    return replace(board, rows=rows)


def with_slices(board: Board) -> Board:
    """Return the board with artificial groups of samples, and a score of each row on each."""
    parts = {"length": ["1–3", "4–6", "7 and more"], "aspect ratio": ["below 2", "2 and above"]}
    columns = [
        replace(
            column,
            slices={by: [SliceGroup(name, 20) for name in names] for by, names in parts.items()},
        )
        for column in board.columns
    ]
    rows = [
        replace(
            row,
            slices={
                column.name: {
                    by: [Score(0.5 - 0.1 * n, None, 0.3 - 0.1 * n, 0.6) for n in range(len(names))]
                    for by, names in parts.items()
                }
                for column in columns
            },
        )
        for row in board.rows
    ]
    return replace(board, columns=columns, rows=rows)


@pytest.fixture(scope="module")
def board() -> Board:
    """Return a board of many rows with the values of all figures, and a hostile name."""
    made = with_slices(with_blanks(synthetic_board(26, 3, 40, 2)[0]))
    first, *others = made.rows
    return replace(made, rows=[replace(first, label=HOSTILE), *others])


@pytest.fixture(scope="module")
def small() -> Board:
    """Return a board of one test set."""
    return with_slices(with_blanks(synthetic_board(4, 1, 40, 1)[0]))


@pytest.fixture(scope="module")
def drawn(board) -> dict[str, ET.Element]:
    return {name: parsed(svg) for name, svg in board_figures(board).items()}


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (bench wrote it)


def entries(figure: ET.Element) -> set[str]:
    return {each.get("data-entry") for each in figure.iter() if each.get("data-entry")}


def box(text: ET.Element) -> Box:
    """Return an upper estimate of the rectangle of a text."""
    x, y = float(text.get("x")), float(text.get("y"))
    heading = text.get("class") == "heading"
    width = text_width(text.text or "", 15.5 if heading else 12.0)
    left = x - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor", "start")]
    return Box(left, y - 11, left + width, y + 3)


def test_a_board_has_the_figures_whose_values_it_has(board, small):
    assert [*board_figures(board)] == [*FIGURES]
    assert {*board_figures(small)} == {*FIGURES} - {"critical-difference"}
    rows = [
        replace(
            row,
            slices={},
            speed={},
            seeds=[replace(each, curves={}, blank_ratios={}) for each in row.seeds],
        )
        for row in small.rows
    ]
    assert [*board_figures(replace(small, rows=rows))] == ["accuracy-weights", "ranks"]
    assert board_figures(replace(small, rows=[])) == {}


def test_each_figure_has_one_named_mark_per_row(board, drawn):
    everything = {row.entry for row in board.rows}
    ranked = {row.entry for row in board.rows if row.rank is not None}
    trained = {row.entry for row in board.rows if row.origin == "trained"}
    assert everything - ranked  # the row that lacks an evaluation
    assert entries(drawn["ranks"]) == ranked
    assert entries(drawn["accuracy-latency"]) == entries(drawn["accuracy-weights"]) == ranked
    assert entries(drawn["learning-curves"]) == trained
    assert entries(drawn["blank-accuracy"]) == ranked & trained
    assert entries(drawn["length"]) == entries(drawn["aspect-ratio"]) == everything
    assert len(entries(drawn["critical-difference"])) == 20
    names = {row.entry: row.label for row in board.rows if row.label != HOSTILE}
    for figure in drawn.values():
        for mark in (each for each in figure.iter() if each.get("data-entry") in names):
            assert names[mark.get("data-entry")] in mark.find(f"{SVG}title").text


def test_names_are_text_and_not_markup(board, drawn):
    for name, svg in board_figures(board).items():
        assert not re.search("<script|\x1b|\ufffe", svg)
        assert {each.tag.removeprefix(SVG) for each in drawn[name].iter()} <= TAGS
    first = next(each for each in drawn["ranks"].iter() if each.get("data-entry"))
    assert first.find(f"{SVG}title").text.startswith('<script>alert("x")</script> & \\x1b[31m')
    assert first.find(f"{SVG}text").text.endswith("…")


def test_figures_have_a_title_and_a_description(drawn):
    for figure in drawn.values():
        assert figure.get("role") == "img"
        assert figure.find(f"{SVG}title").text[0].isupper()
        assert figure.find(f"{SVG}desc").text.endswith(".")


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_outside_a_figure_or_covers_another(name, board, small):
    for made in (board, small):
        if (svg := board_figures(made).get(name)) is None:
            continue
        figure = parsed(svg)
        _, _, width, height = map(float, figure.get("viewBox").split())
        boxes = [box(each) for each in figure.iter(f"{SVG}text")]
        assert boxes
        assert all(each.within(Box(0, 0, width, height)) for each in boxes)
        assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def test_colors_have_enough_contrast_in_both_schemes():
    for colors in (LIGHT, DARK):
        for name in ("ink", "soft"):
            assert contrast(colors[name], colors["paper"]) >= 4.5
        for name in ("quiet", *(f"c{n}" for n in range(SERIES))):
            assert contrast(colors[name], colors["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors after WCAG 2.2."""

    def luminance(color: str) -> float:
        shares = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_another_process_draws_the_same_bytes():
    settings = {
        "PYTHONHASHSEED": "1",
        "LC_ALL": "de_DE.UTF-8",
        "PYTHONPATH": str(Path.cwd()),
    }
    done = subprocess.run(
        [sys.executable, "-c", ALL_BYTES],
        env=os.environ | settings,
        capture_output=True,
        check=True,
    )
    here = "".join(board_figures(synthetic_board(8, 3, 30, 2)[0]).values()).encode()
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(here).digest()


def test_figures_are_written_and_stale_ones_are_removed(tmp_path):
    board, counts = synthetic_board(4, 1, 30, 1)
    board_files.write_board(board, counts, tmp_path)
    folder = tmp_path / "figures"
    assert {file.stem for file in folder.iterdir()} == {*board_figures(board)}
    rows = [replace(row, slices={}) for row in board.rows]
    board_files.write_board(replace(board, rows=rows), counts, tmp_path)
    assert {file.stem for file in folder.iterdir()} == {*board_figures(board)} - {
        "length",
        "aspect-ratio",
    }
    assert json.loads((tmp_path / "board.json").read_text())
