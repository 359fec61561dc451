"""`bench board` prints the working board, or the published one if there is none."""

from __future__ import annotations

import json
import shutil

import pytest


def test_the_working_board_is_written_and_printed(finished, bench, home):
    answer = bench("board", "tiny")
    assert answer.code == 0
    assert answer.out.startswith(
        "tiny (working) · protocol digits v1\n\naccuracy %:\n\nrank  entry "
    )
    assert answer.err == f"written to {home / 'results' / 'boards' / 'tiny'}\n"


@pytest.mark.parametrize("word", ["tiny", "tiny/v1"])
def test_without_records_the_published_board_is_printed(published, bench, home, word):
    shutil.rmtree(home / "results")
    answer = bench("board", word)
    assert answer.code == 0
    assert answer.out.startswith("tiny/v1 · protocol digits v1\n")
    assert not (home / "results").exists()


def test_a_named_version_is_printed_although_there_are_records(published, bench):
    assert bench("board", "tiny/v1").out.startswith("tiny/v1 ")


def test_without_the_suite_the_published_board_is_printed(published, bench, home):
    shutil.rmtree(home / "results")
    (home / "bench.toml").write_text("")
    answer = bench("board", "tiny")
    assert answer.code == 0
    assert answer.out.startswith("tiny/v1 ")
    assert "there is no suite 'tiny'" in answer.err


def test_without_prepared_data_the_published_board_is_printed(published, bench, edit_toml):
    edit_toml("tests = [", 'tests = [\n    "iam-lines",')
    answer = bench("board", "tiny")
    assert answer.code in {0, 2}
    if answer.code == 0:
        assert answer.out.startswith("tiny/v1 ")


def test_without_records_and_boards_the_command_to_run_is_printed(home, bench):
    answer = bench("board", "tiny")
    assert answer.code == 3
    assert "nothing of 'tiny' has run here, and no board is published" in answer.err
    assert bench("board", "other").code == 2


def test_json_is_the_board_alone(finished, bench):
    document = json.loads(bench("board", "tiny", "--json").out)
    assert (document["suite"], document["version"]) == ("tiny", None)
    assert [row["rank"] for row in document["rows"]] == [1, 2]


@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_board_fits_the_terminal(published, bench, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    out = bench("board", "tiny").out
    assert max(map(len, out.splitlines())) <= int(columns)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("tiny/v9", "there is no board 'tiny/v9'; did you mean 'tiny/v1'?"),
        ("elsewhere/tiny", "there is no board 'elsewhere/tiny'"),
    ],
)
def test_an_unknown_version_or_folder_is_not_taken_for_a_suite(published, bench, word, said):
    answer = bench("board", word)
    assert answer.code == 2
    assert said in answer.err


def test_a_folder_of_a_board_is_printed(published, bench, tmp_path):
    folder = tmp_path / "taken"
    shutil.copytree(published / "tiny" / "v1", folder)
    assert bench("board", str(folder)).out.startswith("tiny/v1 ")
    assert bench("board", str(folder), "--format", "csv").out.startswith("schema,board,")


def test_a_property_that_no_test_set_has_is_reported(published, bench):
    answer = bench("board", "tiny/v1", "--by", "length")
    assert answer.code == 3
    assert (
        "'length' is not a property of samples on tiny/v1; it has no scores by groups" in answer.err
    )


def test_a_board_page_without_samples_reports_the_missing_file(published, bench):
    for file in (published / "tiny" / "v1").glob("samples-*"):
        file.unlink()
    assert bench("board", "tiny/v1", "--format", "csv").code == 0
    answer = bench("board", "tiny/v1", "--format", "html")
    assert answer.code == 5
    assert "tiny/v1 lacks the samples of its test set 'seq-digits" in answer.err
