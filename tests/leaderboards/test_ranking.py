"""Scores, averages and ranks are computed from the counts of samples, by any metric."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.statistics.averages import compare_entries
from bench.evaluation.statistics.sample_errors import set_errors
from bench.evaluation.statistics.significance import rate_interval
from bench.leaderboards.board import Board, BoardColumn, BoardMetric, Row, SeedResult
from bench.leaderboards.ranking import with_scores
from bench.leaderboards.row_errors import errors_by_seed, score_over_seeds
from bench.leaderboards.samples.column_counts import ColumnCounts

ACCURACY = BoardMetric(
    "toy-accuracy", "toy", "%", higher_is_better=True, max_value=1.0, signed=False
)
ERRORS = BoardMetric(
    "toy-errors", "errors", "%", higher_is_better=False, max_value=None, signed=False
)


def row(label: str, seeds: dict[int, dict[str, str]]) -> Row:
    """Return a row with the keys of its evaluations by seed and column."""
    return Row(
        entry=label,
        label=label,
        origin="trained",
        timed=True,
        model=label,
        loss="ctc",
        decoder="greedy",
        input="8×8 gray",
        train=[],
        may_have_seen=[],
        recipe={},
        tuning=None,
        seeds=[SeedResult(seed, [], keys, {}, 1.0, ["abc"]) for seed, keys in seeds.items()],
        missing=[],
        parameters=[1],
        hardware=["CPU"],
        speed={},
    )


def board(rows: list[Row], columns: list[str], average="weighted", ranked=ACCURACY) -> Board:
    return Board(
        suite="toy",
        version=None,
        about="",
        protocol="toy v1",
        protocol_about="",
        identity={},
        metrics=[ACCURACY, ERRORS],
        ranked_by=ranked.name,
        average=average,
        columns=[BoardColumn(name, name) for name in columns],
        seeds=[0, 1],
        rows=rows,
    )


def counts(correct: dict[str, list[int]]) -> ColumnCounts:
    """Return the counts of a column, given what each evaluation reads correctly."""
    samples = len(next(iter(correct.values())))
    ones = [1] * samples
    wrong = {key: [1 - value for value in values] for key, values in correct.items()}
    return ColumnCounts.build(
        [f"s{n:03}" for n in range(samples)],
        {ACCURACY.name: ones, ERRORS.name: [2] * samples},
        {ACCURACY.name: correct, ERRORS.name: wrong},
    )


def first(correct: int, samples: int) -> list[int]:
    return [1] * correct + [0] * (samples - correct)


def two_sets(average="weighted", ranked=ACCURACY) -> Board:
    """Return a board on which `long` is better on the long test set, `short` on the short one."""
    rows = [row(name, {0: {"x": f"{name}-x", "y": f"{name}-y"}}) for name in ("long", "short")]
    columns = {
        "x": counts({"long-x": first(90, 100), "short-x": first(80, 100)}),
        "y": counts({"long-y": first(2, 10), "short-y": first(8, 10)}),
    }
    return with_scores(board(rows, ["x", "y"], average, ranked), columns)


def test_averages_weight_test_sets_by_samples_or_equally():
    rows = {row.label: row for row in two_sets().rows}
    averages = rows["long"].averages[ACCURACY.name]
    assert averages["weighted"].mean == pytest.approx(92 / 110)
    assert averages["mean"].mean == pytest.approx((0.9 + 0.2) / 2)
    assert rows["long"].scores[ACCURACY.name]["y"].mean == 0.2
    assert rows["long"].averages[ERRORS.name]["mean"].mean == pytest.approx(0.225)


@pytest.mark.parametrize("ranked", [ACCURACY, ERRORS])
@pytest.mark.parametrize(("average", "best"), [("weighted", "long"), ("mean", "short")])
def test_ranks_are_by_the_stated_average_of_the_ranking_metric(average, best, ranked):
    made = two_sets(average, ranked)
    assert next((row.rank, row.label) for row in made.rows) == (1, best)
    assert [row.rank for row in made.rows] == [1, 2]


def test_leave_one_out_ranks_depend_on_the_test_sets():
    assert {str(row.leave_one_out) for row in two_sets().rows} == {"1–2"}


def test_a_row_that_lacks_a_test_set_or_a_seed_on_one_is_not_ranked():
    rows = [
        row("whole", {0: {"x": "a", "y": "b"}}),
        row("lacks-set", {0: {"x": "c"}}),
        row("lacks-seed", {0: {"x": "c", "y": "d"}, 1: {"x": "e"}}),
        row("to-do", {}),
    ]
    columns = {
        "x": counts({key: first(n, 10) for key, n in {"a": 5, "c": 10, "e": 10}.items()}),
        "y": counts({key: first(n, 10) for key, n in {"b": 5, "d": 10}.items()}),
    }
    made = with_scores(board(rows, ["x", "y"]), columns)
    assert [(each.label, each.rank) for each in made.rows] == [
        ("whole", 1),
        ("lacks-seed", None),
        ("lacks-set", None),
        ("to-do", None),
    ]
    lacking = made.rows[1]
    assert lacking.averages == {}
    assert lacking.rank_interval is None
    assert lacking.scores[ACCURACY.name]["x"].mean == 1


def test_equal_averages_share_a_rank():
    rows = [row(name, {0: {"x": name}}) for name in "abc"]
    columns = {"x": counts({"a": first(5, 10), "b": first(5, 10)[::-1], "c": first(1, 10)})}
    made = with_scores(board(rows, ["x"]), columns)
    assert [each.rank for each in made.rows] == [1, 1, 3]
    assert made.rows[0].leave_one_out is None


def test_intervals_of_both_directions_mirror_each_other():
    made = two_sets()
    for each in made.rows:
        accuracy, errors = each.scores[ACCURACY.name]["x"], each.scores[ERRORS.name]["x"]
        assert accuracy.low <= accuracy.mean <= accuracy.high
        assert accuracy.low == pytest.approx(1 - 2 * errors.high, abs=0.02)


def test_a_sample_with_denominator_0_is_merged_with_the_one_before_it():
    column = ColumnCounts.build(
        ["a", "b", "c", "d"],
        {ERRORS.name: [0, 3, 0, 2]},
        {ERRORS.name: {"k": [1, 0, 2, 1]}},
    )
    errors = errors_by_seed(ERRORS, column, ["k"])
    assert errors.denominators.tolist() == [3, 2]
    assert errors.errors.tolist() == [[3, 1]]
    assert errors.rate == column.value(ERRORS.name, "k")


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=4, unique=True
    ),
    st.randoms(use_true_random=False),
)
def test_a_board_does_not_depend_on_the_order_of_its_rows(reads, random):
    rows = [
        row(f"r{n}", {seed: {"x": f"{n}-{seed}"} for seed in (0, 1)}) for n in range(len(reads))
    ]
    column = counts(
        {f"{n}-{seed}": first(reads[n][seed], 20) for n in range(len(reads)) for seed in (0, 1)}
    )
    made = with_scores(board(rows, ["x"]), {"x": column})
    shuffled = random.sample(rows, len(rows))
    assert with_scores(board(shuffled, ["x"]), {"x": column}) == made
    assert with_scores(made, {"x": column}) == made
    for each in made.rows:
        values = [value / 20 for value in reads[int(each.label[1:])]]
        score = each.scores[ACCURACY.name]["x"]
        assert score.mean == pytest.approx(statistics.fmean(values))
        assert score.std == pytest.approx(statistics.stdev(values))
        assert each.rank_interval.best <= each.rank <= each.rank_interval.worst


def test_a_row_has_no_score_by_a_metric_that_an_evaluation_lacks():
    rows = [row(name, {0: {"x": name}}) for name in "ab"]
    column = counts({"a": first(5, 10), "b": first(6, 10)})
    del column.numerators[ERRORS.name]["a"]
    made = {each.label: each for each in with_scores(board(rows, ["x"]), {"x": column}).rows}
    assert ERRORS.name not in made["a"].scores
    assert made["a"].rank == 2
    assert made["b"].scores[ERRORS.name]["x"].mean == pytest.approx(0.2)


def test_seeds_are_counted_only_where_they_are_done():
    rows = [replace(row("a", {0: {"x": "a"}}), missing=[])]
    made = with_scores(board(rows, ["x"]), {"x": counts({"a": first(5, 10)})})
    assert made.rows[0].complete_seeds(["x"]) == [0]
    assert not made.is_complete(made.rows[0])
    assert made.rows[0].scores[ACCURACY.name]["x"].std is None


@pytest.mark.parametrize("bound", [3.0, None])
def test_a_metric_that_may_exceed_1_has_intervals_around_its_value(bound):
    speedup = replace(ACCURACY, max_value=bound)
    column = counts({"a": [2, 3, 1, 3] * 10, "b": [3] * 40})
    made = [
        rate_interval(errors)
        for key in "ab"
        if (errors := errors_by_seed(speedup, column, [key])) is not None
    ]
    varied, constant = (score_over_seeds(speedup, [0], each) for each in made)
    assert 1.9 < varied.low < 2.25 < varied.high < 2.6
    assert constant.low <= 3 <= constant.high <= (bound or math.inf)


def test_intervals_end_at_1_without_errors_and_at_0_without_correct_samples():
    ones, zeros = (
        score_over_seeds(ACCURACY, [0], average)
        for value in (1, 0)
        for average in [
            compare_entries(
                [set_errors([1] * n, [[[1 - value] * n]], 1) for n in (1, 3, 3, 3, 3)], "weighted"
            )[0].weighted
        ]
    )
    assert (ones.high, str(zeros.low)) == (1, "0.0")
