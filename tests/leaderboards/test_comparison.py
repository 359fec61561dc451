"""Two evaluations, trainings, rows or boards on the same samples."""

from __future__ import annotations

import json

import pytest

from .conftest import FIRST, SAMPLES, SECOND, write_evaluation, write_training


@pytest.fixture
def compare(bench, finished):
    """Return a function that compares two results by name and returns the JSON documents."""

    def run(a: str, b: str) -> list[dict]:
        answer = bench("compare", a, b, "--json")
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    return run


def outcomes(comparison: dict) -> dict[tuple[str, str], str]:
    return {(each["metric"], each["test"]): each["outcome"] for each in comparison["verdicts"]}


METRICS = ("sequence-accuracy", "cer")
PLACES = (FIRST, SECOND, "average", "mean")


def test_rows_are_compared_by_every_metric_and_test_set_and_average(bench, compare):
    assert bench("board", "tiny").code == 0
    (comparison,) = compare("tiny#1", "tiny#2")
    assert comparison["samples"] == {FIRST: SAMPLES, SECOND: SAMPLES}
    assert outcomes(comparison) == {(m, p): "worse" for m in METRICS for p in PLACES}
    accuracy = comparison["verdicts"][0]
    assert (accuracy["a"], accuracy["b"]) == pytest.approx((0.9, 0.5))
    assert accuracy["difference"] == pytest.approx(-0.4)
    assert accuracy["low"] < -0.4 < accuracy["high"] < 0
    (turned,) = compare("tiny#2", "tiny#1")
    assert set(outcomes(turned).values()) == {"better"}


def test_two_evaluations_are_compared_on_their_test_set(compare, trials):
    a, b = (trial.evaluations[FIRST].key for trial in trials[:2])
    (comparison,) = compare(a, b)
    assert outcomes(comparison) == {(metric, FIRST): "worse" for metric in METRICS}


def test_all_evaluations_of_a_training_are_compared(compare, trials):
    a, b = (trial.trainings[0].key for trial in trials[:2])
    (comparison,) = compare(a, b)
    assert outcomes(comparison) == {(m, p): "worse" for m in METRICS for p in PLACES}


def test_a_training_compares_with_an_evaluation_and_with_a_row(bench, compare, trials):
    assert bench("board", "tiny").code == 0
    (comparison,) = compare(trials[0].trainings[0].key, trials[1].evaluations[SECOND].key)
    assert [*comparison["samples"]] == [SECOND]
    (comparison,) = compare(trials[0].trainings[0].key, "tiny#1")
    assert set(outcomes(comparison).values()) == {"no difference shown"}


def test_each_row_that_two_boards_have_is_compared(bench, compare, published):
    comparisons = compare("tiny", "tiny/v1")
    assert [each["a"] for each in comparisons] == [
        "cnn-bilstm · ctc (tiny (working))",
        "cnn-bilstm · radial-ctc (tiny (working))",
    ]
    for each in comparisons:
        assert set(outcomes(each).values()) == {"no difference shown"}


def test_a_regression_ends_with_4(bench, finished):
    assert bench("board", "tiny").code == 0
    assert bench("compare", "tiny#1", "tiny#2", "--fail-on", "regress").code == 4
    assert bench("compare", "tiny#2", "tiny#1", "--fail-on", "regress").code == 0


def test_the_text_fits_the_terminal(bench, finished, monkeypatch):
    assert bench("board", "tiny").code == 0
    monkeypatch.setenv("COLUMNS", "100")
    out = bench("compare", "tiny#1", "tiny#2").out
    assert "A: cnn-bilstm · ctc (tiny (working))" in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("tiny", "tiny#1", "'tiny' is a board, the other is not"),
        ("tiny#1", "tiny#3", "'tiny#3' is not a row: board 'tiny' has 2 rows with a score"),
        ("tiny#1", "tinny#1", "there is no board 'tinny'"),
        ("tiny#1", "zzz", "begins with 'zzz'"),
    ],
)
def test_a_word_that_means_nothing_is_named(bench, finished, a, b, message):
    assert bench("board", "tiny").code == 0
    answer = bench("compare", a, b)
    assert answer.code == 2
    assert message in answer.err


def test_sides_of_other_test_sets_or_samples_do_not_compare(bench, trials, store, finished):
    a, b = trials[0].evaluations[FIRST], trials[1].evaluations[FIRST]
    assert bench("compare", a.key, trials[0].evaluations[SECOND].key).code == 0
    write_training(store, trials[0].trainings[0])
    write_evaluation(store, b, range(3))
    assert bench("compare", a.key, b.key).code == 0
