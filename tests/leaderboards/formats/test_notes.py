"""The notes below the tables of a board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.config.suite import Tuning
from bench.leaderboards.board import BoardColumn, Missing
from bench.leaderboards.formats.notes import board_notes, score_notes
from bench.leaderboards.speed import Speed

from ..test_matching import board, keys, row


def paragraph(start: str, made) -> str:
    return next(
        (each for each in [*score_notes(made), *board_notes(made)] if each.startswith(start)), ""
    )


@pytest.fixture
def rows():
    """Return two rows of one model and one of another."""
    crnn = {"model": "crnn", "input": "32×100 gray", "recipe": {"epochs": 3}}
    vitstr = {"model": "vitstr", "input": "32×128 color", "recipe": {"epochs": 3, "warmup": 1}}
    return [
        row("crnn · ctc", {}, **crnn),
        row("crnn · ce", {}, **crnn),
        row("vitstr · ce", {}, **vitstr),
    ]


def test_notes_name_the_model_if_its_rows_agree(rows):
    made = board(rows)
    assert paragraph("Inputs", made) == "Inputs: crnn: 32×100 gray; vitstr: 32×128 color."
    assert paragraph("Recipes", made) == (
        "Recipes differ: crnn: warmup by default; vitstr: warmup = 1."
    )


def test_notes_name_rows_of_one_model_that_differ(rows):
    made = board([rows[0], replace(rows[1], recipe={"epochs": 9})])
    assert paragraph("Input", made) == "Input of all entries: 32×100 gray."
    assert "crnn · ctc: epochs = 3; crnn · ce: epochs = 9." in paragraph("Recipes", made)


def test_what_the_protocol_excluded_and_dropped_is_counted():
    dropped = {chr(ord("a") + n): n + 1 for n in range(22)}
    made = board([], columns=[BoardColumn("x", "x", 7, {"empty reference": 2}, dropped)])
    said = paragraph("x: 7 samples scored; excluded: 2 empty reference", made)
    assert "characters the protocol dropped from transcripts: 253 ('v' 22" in said
    assert said.endswith(" and 2 other characters).")
    assert paragraph("y: not evaluated yet.", board([], columns=[BoardColumn("y", "y")]))


def test_tuned_rows_are_listed_in_one_paragraph(rows):
    tuned = [replace(each, tuning=Tuning("k", "tpe", 20, 5)) for each in rows[:2]]
    said = paragraph("Tuned", board([*tuned, rows[2]]))
    assert said.startswith("Tuned: crnn · ctc (best of 20 trainings, 5 validations")
    assert said.count("crnn · ") == 2


def test_invalid_latencies_are_listed_by_reason(rows):
    invalid = Speed("p", 1, {"1": None, "24": None}, {"1": "busy", "24": "busy"})
    made = board([replace(each, speed={"x": invalid, "y": invalid}) for each in rows[:2]])
    assert paragraph("No valid latency", made) == (
        "No valid latency, shown as –: crnn · ctc (b1), crnn · ctc (b24), "
        "crnn · ce (b1), crnn · ce (b24): busy."
    )


def test_missing_evaluations_are_counted_and_failures_listed(rows):
    missing = [Missing(0, "x", "to do"), Missing(1, "x", "error: it broke")]
    made = board([replace(rows[0], missing=missing)])
    assert paragraph("Missing", made) == "Missing: crnn · ctc, seed 1 on x: error: it broke."
    assert paragraph("1 evaluation is to do", made).endswith("bench run toy")


def test_uncommitted_changes_and_several_test_sets_are_explained(rows):
    done = row("r", keys())
    seeds = [replace(each, revisions=["abc+"]) for each in done.seeds]
    metric = {"name": "m", "title": "M", "unit": "%", "higher_is_better": True}
    from bench.leaderboards.board import BoardMetric

    made = board(
        [replace(done, seeds=seeds)],
        metrics=[BoardMetric(**metric, max_value=1.0, signed=False)],
        ranked_by="m",
    )
    assert paragraph("A + after a commit", made)
    assert "need not rise" in paragraph("A row ranks below", made)
    assert "one set left out" in paragraph("`average`: ", made)
