"""Working boards are computed from records and written to the folder of results."""

from __future__ import annotations

import pytest

from bench.leaderboards import board as boards
from bench.leaderboards import working

from .conftest import FIRST, SECOND


def test_a_working_board_is_written_to_the_results(config, suite, finished):
    made = working.write_working_board(config, suite)
    folder = config.results / "boards" / "tiny"
    assert boards.read_board(folder) == made
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "board.csv",
        "board.html",
        "board.json",
        "figures",
        f"samples-{FIRST}.parquet",
        f"samples-{SECOND}.parquet",
    ]
    assert not config.leaderboards.exists()
    assert made.version is None


def test_the_same_records_give_the_same_bytes(config, suite, finished):
    working.write_working_board(config, suite)
    folder = working.working_folder(config, "tiny")
    first = {file.name: file.read_bytes() for file in folder.rglob("*.*")}
    working.write_working_board(config, suite)
    assert {file.name: file.read_bytes() for file in folder.rglob("*.*")} == first


def test_samples_of_removed_columns_are_deleted(config, suite, finished, edit_toml):
    working.write_working_board(config, suite)
    smaller = edit_toml('    { name = "seq-digits", digits = 3, rounds = 1 },\n')
    made = working.write_working_board(smaller, smaller.suite("tiny"))
    names = {file.name for file in working.working_folder(config, "tiny").glob("*.parquet")}
    assert names == {f"samples-{column.name}.parquet" for column in made.columns}
    assert len(names) == 1


def test_another_folder_of_results_has_its_own_board(home, finished, bench):
    assert bench("--results", "other", "board", "tiny").code == 3
    assert not (home / "other" / "boards").exists()


@pytest.mark.parametrize("missing", [0, 1])
def test_a_row_lists_its_missing_evaluations(config, suite, trials, finish, missing):
    finish([trial for trial in trials if trial is not trials[missing]], 4)
    made = working.write_working_board(config, suite)
    (row,) = [row for row in made.rows if row.missing]
    assert [(each.seed, each.column, each.why) for each in row.missing] == [
        (0, FIRST, "to do"),
        (0, SECOND, "to do"),
    ]
    assert [result.seed for result in row.seeds] == [1]
