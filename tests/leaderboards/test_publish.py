"""Publishing reports changes, refuses incomplete boards, and never destroys a board."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.leaderboards import board as boards

from .conftest import FIRST, SECOND, write_evaluation


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def row(folder: Path, loss: str) -> boards.Row:
    return next(row for row in boards.read_board(folder).rows if row.loss == loss)


def test_the_first_version_has_the_files_of_the_working_board(published, home):
    written = [name for name in files(published) if "/figures/" not in name]
    assert sorted(written) == sorted(
        ["README.md"]
        + [f"tiny/v1/{name}" for name in ("README.md", "board.csv", "board.html", "board.json")]
        + [f"tiny/v1/samples-{column}.parquet" for column in (FIRST, SECOND)]
    )
    working = home / "results" / "boards" / "tiny"
    for column in (FIRST, SECOND):
        name = f"samples-{column}.parquet"
        assert (published / "tiny" / "v1" / name).read_bytes() == (working / name).read_bytes()


def test_publishing_again_changes_nothing(published, bench):
    before = files(published)
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 0
    assert "Nothing changed." in answer.err
    assert files(published) == before


def test_running_never_changes_published_boards(published, finish, trials, bench):
    before = files(published)
    finish(trials, 11)
    assert bench("board", "tiny").code == 0
    assert files(published) == before


def test_an_incomplete_board_is_refused(home, finish, trials, profile_all, bench):
    profile_all()
    finish(trials[:1], 4)
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 5
    assert "tiny/v1 is not published: 6 evaluations are missing (" in answer.err
    assert "run: bench run tiny" in answer.err
    assert "--partial" in answer.err
    assert not (home / "leaderboards").exists()


def test_a_board_without_valid_latencies_is_refused(home, finished, profile_all, bench):
    profile_all(reason="the machine was busy")
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 5
    assert "no valid latency of cnn-bilstm · ctc; cnn-bilstm · radial-ctc" in answer.err
    assert "bench profile tiny" in answer.err
    assert not (home / "leaderboards").exists()
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    assert (home / "leaderboards" / "tiny" / "v1" / "board.json").exists()


def test_a_partial_run_keeps_published_rows_that_have_more(published, finish, trials, home, bench):
    before = boards.read_board(published / "tiny" / "v1")
    shutil.rmtree(home / "results")
    finish(trials[:1], 2)
    assert bench("board", "tiny", "--publish").code == 5
    answer = bench("board", "tiny", "--publish", "--partial")
    assert answer.code == 0, answer.err
    assert boards.read_board(published / "tiny" / "v1") == before
    assert bench("board", "--check").code == 0


def test_a_row_with_other_keys_replaces_the_published_one_when_it_is_complete(
    published, finish, home, bench, edit_toml
):
    folder = published / "tiny" / "v1"
    kept = row(folder, "radial-ctc")
    suite = edit_toml("epochs = 2", "epochs = 3").suite("tiny")
    from bench.trials import grid

    renewed = [each for each in grid.trials(suite) if each.entry.loss.name == "ctc"]
    finish(renewed[:1], 1)
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    assert row(folder, "ctc").recipe["epochs"] == 2
    finish(renewed, 1)
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    assert row(folder, "ctc").recipe["epochs"] == 3
    assert row(folder, "radial-ctc").evaluations == kept.evaluations
    assert bench("board", "--check").code == 0


def test_lost_latencies_stay_as_published(published, home, bench):
    before = files(published)
    shutil.rmtree(home / "results" / "profiles")
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 0, answer.err
    assert files(published) == before


def test_a_row_that_the_suite_no_longer_lists_is_removed_only_without_partial(
    published, bench, edit_toml
):
    edit_toml('losses = ["ctc", "radial-ctc"]', 'losses = ["ctc"]')
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    assert len(boards.read_board(published / "tiny" / "v1").rows) == 2
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 0
    assert "Rows removed:\n  cnn-bilstm · radial-ctc" in answer.err
    assert len(boards.read_board(published / "tiny" / "v1").rows) == 1
    assert bench("board", "--check").code == 0


def test_other_test_sets_start_the_next_version(published, finish, bench, edit_toml, home):
    from bench.trials import grid

    before = files(published / "tiny" / "v1")
    suite = edit_toml('    { name = "seq-digits", digits = 3, rounds = 1 },\n').suite("tiny")
    finish(grid.trials(suite), 3)
    answer = bench("board", "tiny", "--publish", "--partial")
    assert answer.code == 0
    assert "Protocol or test sets changed; the scores cannot be compared" in answer.err
    assert boards.read_board(published / "tiny" / "v2").version == 2
    assert files(published / "tiny" / "v1") == before
    index = (published / "README.md").read_text()
    assert index.index("tiny/v2/README.md") < index.index("tiny/v1/README.md")
    assert bench("board", "--check").code == 0


def test_an_older_version_is_never_written(published, bench, edit_toml, finish, home):
    from bench.trials import grid

    line = '    { name = "seq-digits", digits = 3, rounds = 1 },\n'
    finish(grid.trials(edit_toml(line).suite("tiny")), 3)
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    before = files(published / "tiny" / "v1")
    edit_toml("tests = [\n", "tests = [\n" + line)
    assert bench("board", "tiny", "--publish", "--partial").code == 0
    assert boards.read_board(published / "tiny" / "v3").version == 3
    assert files(published / "tiny" / "v1") == before


def test_altered_predictions_are_not_published(published, store, finished, bench):
    evaluation = finished[0].evaluations[FIRST]
    (store.folder(evaluation) / "predictions.parquet").write_bytes(b"altered")
    before = files(published)
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 5
    assert "predictions.parquet" in answer.err
    assert files(published) == before
    write_evaluation(store, evaluation, range(4))
    assert bench("board", "tiny", "--publish").code == 0


def test_a_suite_without_records_is_not_published(home, bench):
    answer = bench("board", "tiny", "--publish", "--partial")
    assert (answer.code, "bench run tiny" in answer.err) == (3, True)
    assert not (home / "leaderboards").exists()


@pytest.mark.parametrize("words", [("--partial",), ("--publish", "--check")])
def test_contradicting_options_are_refused(home, bench, words):
    assert bench("board", "tiny", *words).code == 2


def test_a_failed_write_leaves_the_published_board_unchanged(published, finish, trials, bench):
    page = published / "tiny" / "v1" / "README.md"
    page.unlink()
    page.mkdir()
    before = files(published)
    finish(trials, 11)
    answer = bench("board", "tiny", "--publish")
    assert answer.code == 2
    assert f"{page}: Is a directory; a file should be there; move the folder away" in answer.err
    assert files(published) == before


def test_a_version_that_cannot_be_written_leaves_no_folder(home, finish, trials, bench):
    finish(trials)
    (home / "leaderboards").write_text("")
    answer = bench("board", "tiny", "--publish", "--partial")
    assert answer.code == 2
    assert "something in this path is a file where a folder should be" in answer.err
    assert (home / "leaderboards").is_file()
