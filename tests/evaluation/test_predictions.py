"""Predictions as Parquet: every score can be summed from them again."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.evaluation import predictions, protocols
from bench.evaluation.predictions import Predictions
from bench.trials import store as disk

DIGITS = protocols.find("digits")
SAMPLES = [
    ("a", "1234", "1234"),
    ("b", "1234", "124"),
    ("c", "12", "9876"),
    ("d", "", "1"),
    ("e", "1x3y", "13"),
    ("f", "7", ""),
    ("g", "x", "x"),
]
words = st.text("0123456789", max_size=5) | st.text("01xy", max_size=4)


def table(samples=SAMPLES, **more) -> pa.Table:
    rows = Predictions(DIGITS)
    for identity, reference, hypothesis in samples:
        rows.add(identity, reference, hypothesis, **more)
    return rows.table()


def distance(one: str, other: str) -> int:
    """Count edits the plain way."""
    row = list(range(len(other) + 1))
    for letter in one:
        before, row[0] = row[0], row[0] + 1
        for place, against in enumerate(other, 1):
            step = min(row[place] + 1, row[place - 1] + 1, before + (letter != against))
            before, row[place] = row[place], step
    return row[-1]


def test_each_row_says_its_edits_and_why_it_is_left_out():
    rows = table().to_pylist()
    assert [row["edits"] for row in rows] == [0, 1, 4, 1, 2, 1, 0]
    assert [row["length"] for row in rows] == [4, 4, 2, 0, 4, 1, 1]
    assert [row["excluded"] for row in rows] == [
        None,
        None,
        None,
        "empty reference",
        "outside the charset: xy",
        None,
        "outside the charset: x",
    ]


def test_a_file_gives_back_what_was_written(tmp_path):
    written = table(
        confidence=0.5, path=[0, 1, 1, 0], aligned=[1], scores=[0.25], key_frames=[2, 5]
    )
    file = tmp_path / disk.PREDICTIONS
    file.write_bytes(predictions.to_bytes(written))
    read = predictions.read(file)
    assert read.schema.equals(predictions.SCHEMA)
    assert read.equals(written)
    assert read.to_pylist()[1] == {
        "id": "b",
        "reference": "1234",
        "hypothesis": "124",
        "edits": 1,
        "length": 4,
        "excluded": None,
        "confidence": 0.5,
        "path": [0, 1, 1, 0],
        "aligned": [1],
        "scores": [0.25],
        "key_frames": [2, 5],
        "read": 3,
        "placed": 2,
        "word_edits": None,
        "words": None,
    }


def test_files_from_before_there_were_these_columns_are_read_and_scored(tmp_path):
    written = table().drop_columns(["read", "placed", "word_edits", "words"])
    file = tmp_path / disk.PREDICTIONS
    file.write_bytes(predictions.to_bytes(written))
    rates = predictions.score(predictions.read(file))
    assert (rates.samples, rates.correct, rates.edits, rates.length) == (4, 1, 6, 11)
    assert (rates.words, rates.placed, rates.similarity) == (None, None, None)
    assert (rates.wer, rates.ccr, rates.one_minus_ned) == (None, None, None)


def test_every_rate_is_of_the_counted_columns():
    rows = Predictions(protocols.find("htr-raw"))
    rows.add("a", "two words", "too words")
    rows.add("b", "one", "one")
    rates = predictions.score(rows.table())
    assert rates.words == (1, 3)
    assert rates.ccr == 11 / 12
    assert rates.one_minus_ned == (8 / 9 + 1) / 2


def test_the_protocol_normalises_what_is_compared_but_not_what_is_kept():
    rows = Predictions(protocols.find("str-36"))
    rows.add("a", "It's", "ITS")
    (row,) = rows.table().to_pylist()
    assert (row["reference"], row["hypothesis"]) == ("It's", "ITS")
    assert (row["edits"], row["length"]) == (0, 3)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    content = predictions.to_bytes(table(path=[1]))
    assert predictions.to_bytes(table(path=[1])) == content
    file = tmp_path / disk.PREDICTIONS
    file.write_bytes(content)
    assert predictions.to_bytes(predictions.read(file)) == content
    assert predictions.to_bytes(table(SAMPLES[::-1], path=[1])) != content


def test_another_process_gives_the_same_bytes():
    code = (
        "import sys, hashlib; from bench.evaluation import predictions\n"
        "from bench.evaluation import protocols\n"
        "rows = predictions.Predictions(protocols.find('digits'))\n"
        f"for sample in {SAMPLES!r}: rows.add(*sample)\n"
        "content = predictions.to_bytes(rows.table())\n"
        "print(hashlib.sha256(content).hexdigest())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    expected = hashlib.sha256(predictions.to_bytes(table())).hexdigest()
    assert answer.stdout.strip() == expected


def test_a_table_without_rows_has_the_columns(tmp_path):
    file = tmp_path / disk.PREDICTIONS
    file.write_bytes(predictions.to_bytes(table([])))
    assert predictions.read(file).schema.equals(predictions.SCHEMA)


def test_what_is_left_out_is_counted_and_not_scored():
    rates = predictions.score(table())
    assert (rates.samples, rates.correct, rates.edits, rates.length) == (4, 1, 6, 11)
    assert rates.excluded == {
        "empty reference": 1,
        "outside the charset: x": 1,
        "outside the charset: xy": 1,
    }
    assert list(rates.excluded) == sorted(rates.excluded)
    assert rates.sequence_accuracy == 1 / 4
    assert rates.cer == 6 / 11


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(words, words), max_size=8))
def test_scores_are_sums_over_the_scored(pairs):
    samples = [(str(number), *pair) for number, pair in enumerate(pairs)]
    scored = [(r, h) for r, h in pairs if r and set(r) <= set("0123456789")]
    if not scored:
        with pytest.raises(ValueError, match="no sample"):
            predictions.score(table(samples))
        return
    rates = predictions.score(table(samples))
    assert rates.samples == len(scored)
    assert rates.correct == sum(r == h for r, h in scored)
    assert rates.edits == sum(distance(r, h) for r, h in scored)
    assert rates.length == sum(len(r) for r, _ in scored)
    assert sum(rates.excluded.values()) == len(pairs) - len(scored)


@pytest.mark.parametrize("samples", [[], [("a", "", ""), ("b", "xy", "xy")]])
def test_nothing_scored_is_no_score(samples):
    with pytest.raises(ValueError, match="no sample with a reference is left to score"):
        predictions.score(table(samples))


@pytest.fixture
def record(trials, make_record):
    return make_record(trials[0], correct=1, samples=4, edits=6, length=11)


def test_the_worst_come_first_and_the_right_not_at_all(tmp_path, record):
    samples = [*SAMPLES[:3], SAMPLES[5]]
    (tmp_path / disk.PREDICTIONS).write_bytes(predictions.to_bytes(table(samples)))
    listed = [
        ["c", "12", "9876", "4"],
        ["b", "1234", "124", "1"],
        ["f", "7", "", "1"],
    ]
    for count in range(5):
        assert predictions.worst(predictions.of(tmp_path, record), count) == listed[:count]


def test_the_worst_of_the_flawless_are_none(tmp_path, record):
    content = predictions.to_bytes(table([("a", "12", "12"), ("b", "3", "3")]))
    (tmp_path / disk.PREDICTIONS).write_bytes(content)
    assert predictions.worst(predictions.of(tmp_path, record), 5) == []


def test_predictions_that_are_gone_are_said(tmp_path, record):
    with pytest.raises(BenchError, match=r"the predictions of .* are gone") as caught:
        predictions.of(tmp_path, record)
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{tmp_path / disk.PREDICTIONS}: ")
    assert record.key in str(caught.value)
    assert "--force" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 3, 100, -20])
def test_predictions_that_are_cut_off_are_said(tmp_path, record, keep):
    content = predictions.to_bytes(table(SAMPLES))
    (tmp_path / disk.PREDICTIONS).write_bytes(content[:keep])
    with pytest.raises(BenchError, match=r"the predictions of .* cannot be read") as caught:
        predictions.of(tmp_path, record)
    assert caught.value.code == Exit.UNVERIFIED
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("--force")
