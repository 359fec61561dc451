"""Manual edits of published boards are detected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.core.errors import BenchError, Exit
from bench.leaderboards import board
from bench.leaderboards.formats.board_formats import DOCUMENTS
from bench.leaderboards.rebuild import check_boards
from bench.leaderboards.samples import samples_file

from .conftest import FIRST

PAGE, DATA, INDEX = "tiny/v1/README.md", "tiny/v1/board.json", "README.md"
SAMPLES = f"tiny/v1/samples-{FIRST}.parquet"


@pytest.fixture
def boards(published) -> Path:
    return published


def test_unchanged_boards_pass(boards, bench):
    answer = bench("board", "--check")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "equal to what their samples give: tiny/v1\n"
    assert json.loads(bench("board", "tiny", "--check", "--json").out) == ["tiny/v1"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (PAGE, "90.00", "92.00"),
        (PAGE, "digits v1", "digits v2"),
        (PAGE, "| 2 |", "| 1 |"),
        (DATA, '"mean": 0.9', '"mean": 0.92'),
        (DATA, '"std": 0.0', '"std": 0.1'),
        (DATA, '"low": 0.', '"low": 0.1'),
        (DATA, '"rank": 2', '"rank": 1'),
        (DATA, '"best": 2', '"best": 1'),
        (DATA, '"version": 1', '"version": 2'),
        (DATA, '"suite": "tiny"', '"suite": "tinny"'),
        (DATA, '"suite": "tiny"', '"more": 1, "suite": "tiny"'),
        (INDEX, "90.00", "99.00"),
        (INDEX, "[v1]", "[v3]"),
    ],
)
def test_an_edited_passage_is_reported(boards, name, old, new):
    file = boards / name
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BenchError) as raised:
        check_boards(boards)
    assert raised.value.code == Exit.UNVERIFIED
    assert name in str(raised.value)


def test_the_html_format_is_the_page_in_the_folder(boards):
    folder = boards / "tiny" / "v1"
    tiny = board.read_board(folder)
    page = DOCUMENTS["html"](tiny, lambda: samples_file.read_counts(folder, tiny.column_names))
    assert page == (folder / "board.html").read_bytes()


@pytest.mark.parametrize("name", ["figures/former.svg", "samples-former.parquet"])
def test_a_stale_file_of_a_board_is_reported(boards, name):
    (boards / "tiny/v1" / name).write_bytes(b"")
    with pytest.raises(BenchError, match=name) as raised:
        check_boards(boards)
    assert raised.value.code == Exit.UNVERIFIED


def test_edited_samples_are_reported(boards):
    folder = boards / "tiny" / "v1"
    counts = samples_file.read_counts(folder, [FIRST])[FIRST]
    counts.numerators["cer"][counts.keys[0]] = 1 - counts.numerators["cer"][counts.keys[0]]
    (boards / SAMPLES).write_bytes(samples_file.counts_to_bytes(counts))
    with pytest.raises(BenchError, match=r"board\.json:") as raised:
        check_boards(boards)
    assert raised.value.code == Exit.UNVERIFIED


@pytest.mark.parametrize("name", [PAGE, SAMPLES, INDEX])
def test_a_missing_file_is_reported(boards, name):
    (boards / name).unlink()
    with pytest.raises(BenchError) as raised:
        check_boards(boards)
    assert raised.value.code == Exit.UNVERIFIED
    assert str(raised.value).startswith(str(boards / name))


def test_a_board_of_another_schema_is_reported(boards, bench):
    file = boards / DATA
    file.write_text(file.read_text().replace('"schema": 4', '"schema": 2'))
    answer = bench("board", "--check")
    assert answer.code == 5
    assert "its schema is 2, this bench reads 4" in answer.err


def test_a_suite_without_a_board_is_reported_with_the_nearest_name(boards, bench):
    answer = bench("board", "tinny", "--check")
    assert (answer.code, "did you mean 'tiny'?" in answer.err) == (3, True)


def test_an_empty_folder_has_no_board_to_check(home, bench):
    assert bench("board", "--check").code == 3
