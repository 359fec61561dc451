"""bench compare and bench verify on real trials: what they say, and what they end with."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from bench.core.documents import write_bytes
from bench.evaluation import predictions
from bench.evaluation.protocols import PROTOCOLS
from bench.leaderboards import board_samples as samples
from bench.trials.store import PREDICTIONS, RECORD


@pytest.fixture
def ran(trained, home):
    """Return a working folder in which the suite `tiny` has run and its board is written."""
    shutil.copytree(trained, home, dirs_exist_ok=True)
    return home


def folders(home):
    return sorted(file.parent for file in home.glob(f"results/**/{RECORD}"))


def altered(file: Path, at: int = 200) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def test_a_row_against_itself_is_always_a_tie(ran, bench):
    answer = bench("compare", "tiny#1", "tiny/v1#1", "--json", "--fail-on", "regress")
    assert answer.code == 0
    (found,) = json.loads(answer.out)
    assert [one["difference"] for one in found["verdicts"]] == [0, 0]
    assert [one["p"] for one in found["verdicts"]] == [1, 1]
    assert {one["outcome"] for one in found["verdicts"]} == {"no difference shown"}
    assert "+0.00" in bench("compare", "tiny#1", "tiny#1").out


def test_two_rows_are_held_against_each_other_and_back(ran, bench):
    (there,) = json.loads(bench("compare", "tiny#1", "tiny#2", "--json").out)
    (back,) = json.loads(bench("compare", "tiny#2", "tiny#1", "--json").out)
    board = json.loads((ran / "leaderboards/tiny/v1/board.json").read_text())["board"]
    scores = [row["sequence_accuracy"]["mean"] for row in board["rows"]]
    accuracy, opposite = there["verdicts"][0], back["verdicts"][0]
    assert (accuracy["a"], accuracy["b"]) == pytest.approx(tuple(scores))
    assert accuracy["difference"] == pytest.approx(scores[1] - scores[0])
    assert accuracy["low"] <= accuracy["difference"] <= accuracy["high"]
    assert opposite["difference"] == pytest.approx(-accuracy["difference"])
    assert opposite["p"] == pytest.approx(accuracy["p"])


def rewrite(folder: Path, name: str, values: list) -> None:
    """Replace a column of a trial's predictions, and the checksum in its record."""
    table, record = (
        predictions.read(folder / PREDICTIONS),
        json.loads((folder / RECORD).read_text()),
    )
    at = table.column_names.index(name)
    table = table.set_column(at, table.schema.field(at), pa.array(values, table.schema.types[at]))
    record["files"][PREDICTIONS] = write_bytes(folder / PREDICTIONS, predictions.to_bytes(table))
    (folder / RECORD).write_text(json.dumps(record))


def worsened(home, bench) -> list[str]:
    """Return the keys of a trial and of one that misreads everything, on the same samples."""
    good, bad = folders(home)[:2]
    lengths = predictions.read(bad / PREDICTIONS)["length"].to_pylist()
    rewrite(bad, "edits", [length + 5 for length in lengths])
    return [json.loads((folder / RECORD).read_text())["key"] for folder in (good, bad)]


def test_a_regression_ends_with_4_where_that_is_asked_for(ran, bench):
    good, bad = worsened(ran, bench)
    assert bench("compare", good, bad).code == 0
    answer = bench("compare", good, bad, "--fail-on", "regress")
    assert answer.code == 4
    assert "worse" in answer.out
    assert bench("compare", bad, good, "--fail-on", "regress").code == 0


def test_boards_are_compared_row_by_row(ran, bench):
    found = json.loads(bench("compare", "tiny", "tiny/v1", "--json").out)
    assert len(found) == 2
    assert all(one["a"] == one["b"] for one in found)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("tiny#1", "tiny#7", "board 'tiny' has 2 rows with a score"),
        ("tiny", "tiny#1", "'tiny' is a board, the other is not; name a row of it: 'tiny#1'"),
        ("tiny#1", "ffff", "no trial has left anything under a key that begins with 'ffff'"),
        ("tinny#1", "tiny#1", "there is no board 'tinny'; did you mean 'tiny'?"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(ran, bench, a, b, said):
    answer = bench("compare", a, b)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_what_nobody_touched_is_verified(ran, bench):
    answer = bench("verify")
    assert answer.code == 0
    assert answer.out == "4 trials, boards tiny/v1: all as their predictions give it\n"
    key = folders(ran)[0].name.partition("-")[2]
    assert bench("verify", key[:8]).out.startswith("1 trial: all as")


def test_a_byte_of_a_prediction_is_found_and_no_board_is_drawn_from_it(ran, bench):
    file = folders(ran)[1] / PREDICTIONS
    altered(file)
    answer = bench("verify")
    assert answer.code == 5
    assert f"{file}: this file of" in answer.err
    assert "1 fault" in answer.out
    again = bench("board", "tiny")
    assert again.code == 5
    assert str(file) in again.err


def test_counts_that_the_texts_do_not_give_are_found(ran, bench):
    _, bad = worsened(ran, bench)
    answer = bench("verify", bad)
    assert answer.code == 5
    assert "edits of sample '" in answer.err
    assert "its texts give" in answer.err


def test_a_sample_that_is_scored_against_the_protocol_is_found(ran, bench):
    folder = folders(ran)[0]
    _, *references = predictions.read(folder / PREDICTIONS)["reference"].to_pylist()
    rewrite(folder, "reference", ["12x", *references])
    answer = bench("verify", str(folder))
    assert answer.code == 5
    assert "is None, its texts give outside the charset: x" in answer.err


def test_a_board_with_damaged_samples_is_one_fault_of_all(ran, bench):
    altered(folders(ran)[0] / PREDICTIONS)
    (ran / "leaderboards/tiny/v1" / samples.FILE).write_text("nothing\n1\n")
    answer = bench("verify")
    assert answer.code == 5
    assert "2 faults" in answer.out


def test_a_score_that_the_predictions_do_not_give_is_found(ran, bench):
    file = folders(ran)[0] / RECORD
    record = json.loads(file.read_text())
    record["metrics"]["test"]["correct"] += 1
    file.write_text(json.dumps(record))
    answer = bench("verify")
    assert answer.code == 5
    assert f"{file}: test correct is {record['metrics']['test']['correct']}" in answer.err


def test_a_key_that_the_spec_does_not_give_is_found(ran, bench):
    file = folders(ran)[0] / RECORD
    record = json.loads(file.read_text())
    del record["spec"]["protocol"]
    file.write_text(json.dumps(record))
    answer = bench("verify", str(file.parent))
    assert answer.code == 5
    assert "its spec gives" in answer.err


def test_samples_of_a_board_that_no_trial_gave_are_found(ran, bench):
    file = ran / "leaderboards/tiny/v1" / samples.FILE
    first, comma, last = file.read_text().rpartition(",")
    file.write_text(f"{first}{comma}{int(last) + 1}\n")
    assert bench("board", "--check").code == 5
    answer = bench("verify")
    assert answer.code == 5
    assert f"{file}: the column" in answer.err


def test_a_protocol_that_moved_is_told_of(ran, bench, monkeypatch):
    moved = replace(PROTOCOLS["digits"], version=2)
    monkeypatch.setitem(PROTOCOLS, "digits", moved)
    answer = bench("verify")
    assert answer.code == 5
    assert answer.err.count("protocol 'digits' is no longer what it was") == 4


def test_nothing_to_verify_is_said(home, bench):
    answer = bench("verify")
    assert answer.code == 3
    assert "there is no record to verify" in answer.err


def test_gone_predictions_leave_a_board_without_intervals_and_are_a_fault(ran, bench):
    (folders(ran)[0] / PREDICTIONS).unlink()
    answer = bench("board", "tiny")
    assert answer.code == 0
    assert "no intervals on seq-digits" in answer.err
    assert "[" not in answer.out.partition("rank")[2].partition("\n\n")[0]
    assert bench("verify").code == 5
