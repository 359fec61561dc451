"""Compare two evaluations, trainings, rows or boards on the same samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from bench.core.errors import BenchError
from bench.core.printable import shortened
from bench.core.text_table import Style, Styled, Table
from bench.leaderboards import board as boards
from bench.leaderboards import versions
from bench.leaderboards.aggregate import board_metric
from bench.leaderboards.formats.columns import AVERAGES, p_text, signed_text
from bench.leaderboards.matching import matched_rows
from bench.leaderboards.row_errors import errors_by_seed
from bench.leaderboards.samples import column_counts, samples_file
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.trials.records import EvaluationRecord, Failure, TrainingRecord

if TYPE_CHECKING:
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.evaluation.statistics.significance import Comparison as PairedComparison
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.trials.store import Store

ALPHA = 0.05
Outcome = Literal["better", "worse", "no difference shown"]
_STYLES: dict[Outcome, Style] = {"better": "best", "worse": "failed"}


class TestCounts(NamedTuple):
    """Counts on one test set, and the keys of the evaluations to compare, one per seed."""

    counts: ColumnCounts
    keys: list[str]


@dataclass(frozen=True)
class Side:
    """One side of a comparison: an evaluation, a training or a row of a board.

    Attributes:
        name: The displayed name.
        metrics: The metrics it is scored by.
        tests: Counts by name of the test set.
    """

    name: str
    metrics: list[BoardMetric]
    tests: dict[str, TestCounts]


@dataclass(frozen=True)
class Verdict:
    """B compared with A by one metric on one test set, or on the average of all of them.

    Attributes:
        metric: The name of the metric.
        test: The test set, or the name of the average.
        a: The score of A, as a fraction.
        b: The score of B, as a fraction.
        difference: B - A.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end of the interval.
        p: Two-sided p-value of the difference.
        detectable: The difference that such a comparison detects with a power of 80 %.
        outcome: Better or worse if `p` is below 5 %.
    """

    metric: str
    test: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    detectable: float
    outcome: Outcome


@dataclass(frozen=True)
class Comparison:
    """B compared with A by all common metrics.

    Attributes:
        a: The name of A.
        b: The name of B.
        samples: Number of scored samples of each test set that both have.
        metrics: The metrics that both have.
        verdicts: One per metric and test set, and one per average of several test sets.
    """

    a: str
    b: str
    samples: dict[str, int]
    metrics: list[BoardMetric]
    verdicts: list[Verdict]

    @property
    def regressed(self) -> bool:
        """Whether B is worse in any verdict."""
        return any(verdict.outcome == "worse" for verdict in self.verdicts)


def compare_named(a: str, b: str, store: Store, root: Path, faults: list[str]) -> list[Comparison]:
    """Compare two results given by name: keys of tasks, rows (`suite#1`) or boards (`suite/v1`).

    All evaluations of a training are compared. Of two boards, each row that both have is compared.

    Args:
        a: The name of the first result.
        b: The name of the result that is compared with it.
        store: The records.
        root: The folder of published boards.
        faults: A sentence is appended for each record that cannot be read and may be an
            evaluation of a given training.

    Raises:
        BenchError: A name is unknown, only one of the two is a board, or they have no test set or
            row in common.
    """
    first, second = (_named_board(word, store, root) for word in (a, b))
    if (first is None) != (second is None):
        board = b if first is None else a
        raise BenchError(f"'{board}' is a board, the other is not; name a row of it: '{board}#1'")
    if first is None or second is None:
        return [compare_sides(*(find_side(word, store, root, faults) for word in (a, b)))]
    pairs = [
        (old, new)
        for old, new in matched_rows(first[0], second[0])
        if old and new and old.seeds and new.seeds
    ]
    if not pairs:
        raise BenchError(f"'{a}' and '{b}' have no row in common; compare rows: '{a}#1' '{b}#1'")
    return [compare_rows(first, old, second, new) for old, new in pairs]


def compare_rows(
    before: tuple[Board, Path], old: Row, after: tuple[Board, Path], new: Row
) -> Comparison:
    """Compare two rows. `before` and `after` are the boards of `old` and `new`, with folders."""
    return compare_sides(_row_side(*before, old), _row_side(*after, new))


def compare_sides(a: Side, b: Side) -> Comparison:
    """Compare two sides on the test sets and by the metrics that both have.

    Raises:
        BenchError: They have no test set or metric in common, or other samples.
    """
    pairs = _common_tests(a, b)
    names = {metric.name for metric in b.metrics}
    metrics = [metric for metric in a.metrics if metric.name in names]
    verdicts = [verdict for metric in metrics for verdict in _metric_verdicts(metric, pairs)]
    if not verdicts:
        raise BenchError(
            f"{a.name} and {b.name} have no metric in common on the same test set; "
            "compare results whose protocols share a metric"
        )
    samples = {test: first.counts.samples for test, (first, _) in pairs.items()}
    return Comparison(a.name, b.name, samples, metrics, verdicts)


def outcome_of(compared: PairedComparison) -> Outcome:
    """Return the outcome of a paired comparison of errors, where fewer errors are better."""
    if compared.p >= ALPHA:
        return "no difference shown"
    return "better" if compared.difference < 0 else "worse"


def signed_difference(
    metric: BoardMetric, compared: PairedComparison
) -> tuple[float, float, float]:
    """Convert a difference of error rates and its interval to values of the metric."""
    if metric.higher_is_better:
        # 0 - 0 is 0; its negation, -0.0, would be displayed as -0.00.
        return 0 - compared.difference, 0 - compared.high, 0 - compared.low
    return compared.difference, compared.low, compared.high


def comparison_blocks(comparisons: list[Comparison]) -> list[str | Table]:
    """Return paragraphs and tables that display comparisons."""
    return [block for comparison in comparisons for block in _comparison_blocks(comparison)]


def _named_board(word: str, store: Store, root: Path) -> tuple[Board, Path] | None:
    folder = versions.find_board_or_none(word, root, store.root)
    return (boards.read_board(folder), folder) if folder else None


def find_side(word: str, store: Store, root: Path, faults: list[str]) -> Side:
    """Return the evaluation, training or row (`suite#1`) with a name as a side of a comparison.

    Raises:
        BenchError: The name is unknown, or its task has no score.
    """
    match = re.fullmatch(r"(.+)#([1-9][0-9]*)", word)
    if not match:
        return _record_side(word, store, faults)
    name, number = match[1], int(match[2])
    folder = versions.find_board(name, root, store.root)
    board = boards.read_board(folder)
    rows = [row for row in board.rows if row.seeds]
    if number > len(rows):
        raise BenchError(
            f"'{word}' is not a row: board '{name}' has {len(rows)} rows with a score; name a "
            "smaller number"
        )
    return _row_side(board, folder, rows[number - 1])


def _row_side(board: Board, folder: Path, row: Row) -> Side:
    counts = samples_file.read_counts(folder, board.column_names)
    tests = {}
    for column in board.column_names:
        keys = [r.evaluations[column] for r in row.seeds if column in r.evaluations]
        if keys and column in counts:
            tests[column] = TestCounts(counts[column], keys)
    if not tests:
        raise BenchError(
            f"{folder}: this row of the board has no files of samples to compare; write the board "
            f"again with `bench board {board.suite}`"
        )
    return Side(f"{row.label} ({board.name})", board.metrics, tests)


def _record_side(word: str, store: Store, faults: list[str]) -> Side:
    """Return an evaluation, or all evaluations of a training, as a side."""
    from bench.evaluation import metrics

    folder, record = store.find(word)
    if isinstance(record, Failure):
        raise BenchError(
            f"{folder}: this task failed, so it has no score; see why with `bench show`"
        )
    evaluations = (
        [(folder, record)]
        if isinstance(record, EvaluationRecord)
        else training_evaluations(record, store, faults)
    )
    tests: dict[str, TestCounts] = {}
    names: dict[str, None] = {}
    for evaluation_folder, evaluation in evaluations:
        test = evaluation.labels["test"]
        if test in tests:
            raise BenchError(
                f"training {record.key} has several evaluations on {test}: "
                f"{tests[test].keys[0]} and {evaluation.key}; name one of them instead"
            )
        counts = column_counts.counts_of_record(evaluation, evaluation_folder)
        tests[test] = TestCounts(counts, [evaluation.key])
        names |= dict.fromkeys(evaluation.scores)
    labels = evaluations[0][1].labels
    parts = " · ".join(label for part, label in labels.items() if part != "test")
    name = f"{parts}, seed {record.seed}"
    return Side(
        f"{name} ({record.key})", [board_metric(metrics.find_metric(n)) for n in names], tests
    )


def training_evaluations(
    training: TrainingRecord, store: Store, faults: list[str]
) -> list[tuple[Path, EvaluationRecord]]:
    """Return the evaluations of a training, each with its folder. Raises BenchError on none."""
    evaluations = [each for each in store.evaluations(faults) if each[1].training == training.key]
    if not evaluations:
        raise BenchError(f"training {training.key} has no evaluation; run its suite: bench run")
    return evaluations


def _common_tests(a: Side, b: Side) -> dict[str, tuple[TestCounts, TestCounts]]:
    """Return the test sets that both sides have; single test sets may have different names."""
    if len(a.tests) == len(b.tests) == 1:
        (name, first), (second,) = next(iter(a.tests.items())), b.tests.values()
        return {name: (first, second)}
    pairs = {name: (a.tests[name], b.tests[name]) for name in a.tests if name in b.tests}
    if not pairs:
        raise BenchError(
            f"{a.name} was tested on {', '.join(a.tests)}, {b.name} on {', '.join(b.tests)}; "
            "compare on the same test set"
        )
    return pairs


def _metric_verdicts(
    metric: BoardMetric, pairs: Mapping[str, tuple[TestCounts, TestCounts]]
) -> list[Verdict]:
    errors = {}
    for name, (first, second) in pairs.items():
        if first.counts.ids_hash != second.counts.ids_hash:
            raise BenchError(f"{name}: the samples of both differ; compare on the same test set")
        both = [errors_by_seed(metric, side.counts, side.keys) for side in (first, second)]
        if both[0] is not None and both[1] is not None:
            errors[name] = (both[0], both[1])
    verdicts = [_verdict(metric, name, [a], [b], [1.0]) for name, (a, b) in errors.items()]
    if len(errors) > 1 and len(errors) == len(pairs):
        verdicts += _averages(metric, *([*side] for side in zip(*errors.values(), strict=True)))
    return verdicts


def _averages(metric: BoardMetric, a: list[SampleErrors], b: list[SampleErrors]) -> list[Verdict]:
    """Return the verdicts on both averages; none if a seed lacks a test set."""
    if any(len({len(errors.errors) for errors in side}) > 1 for side in (a, b)):
        return []
    from bench.evaluation.statistics.averages import average_weights_from_counts

    samples = [len(errors.denominators) for errors in a]
    return [
        _verdict(metric, name, a, b, average_weights_from_counts(samples, each))
        for each, name in AVERAGES.items()
    ]


def _verdict(
    metric: BoardMetric,
    test: str,
    a: list[SampleErrors],
    b: list[SampleErrors],
    weights: list[float],
) -> Verdict:
    from bench.evaluation.statistics.paired_averages import compare_averages

    compared = compare_averages(b, a, weights)
    rate_a, rate_b = (
        sum(weight * errors.rate for weight, errors in zip(weights, side, strict=True))
        for side in (a, b)
    )
    if metric.higher_is_better:
        rate_a, rate_b = 1 - rate_a, 1 - rate_b
    difference, low, high = signed_difference(metric, compared)
    return Verdict(
        metric=metric.name,
        test=test,
        a=rate_a,
        b=rate_b,
        difference=difference,
        low=low,
        high=high,
        p=compared.p,
        detectable=compared.detectable,
        outcome=outcome_of(compared),
    )


def _comparison_blocks(comparison: Comparison) -> Iterator[str | Table]:
    tests = {shortened(test): count for test, count in comparison.samples.items()}
    samples = ", ".join(f"{count:,} samples of {test}" for test, count in tests.items())
    a, b = map(shortened, (comparison.a, comparison.b))
    yield f"A: {a}\nB: {b}\non {samples}"
    for metric in comparison.metrics:
        verdicts = [each for each in comparison.verdicts if each.metric == metric.name]
        if not verdicts:
            continue
        rows = [_cells(metric, verdict) for verdict in verdicts]
        headers = [metric.heading, "B is", "A", "B", "B - A", "95 %", "p"]
        yield Table(headers, rows, ("A", "B", "B - A", "95 %", "p"))
        undetected = [
            _detectable(metric, verdict)
            for verdict in verdicts
            if verdict.outcome == "no difference shown" and verdict.detectable
        ]
        if undetected:
            yield "\n".join(undetected)


def _cells(metric: BoardMetric, verdict: Verdict) -> list[str]:
    outcome = verdict.outcome
    return [
        verdict.test,
        Styled(outcome, _STYLES[outcome]) if outcome in _STYLES else outcome,
        metric.format(verdict.a),
        metric.format(verdict.b),
        *difference_cells(metric, verdict),
    ]


def difference_cells(metric: BoardMetric, verdict: Verdict) -> list[str]:
    """Return cells with the signed difference, its interval, and p."""
    return [
        signed_text(metric, verdict.difference),
        f"[{signed_text(metric, verdict.low)}, {signed_text(metric, verdict.high)}]",
        p_text(verdict.p),
    ]


def _detectable(metric: BoardMetric, verdict: Verdict) -> str:
    """Return how large a difference has to be for the comparison to detect it."""
    return (
        f"{verdict.test}: a true difference of {metric.format(verdict.detectable)} is shown by "
        "four of five such comparisons; a smaller one needs more samples or seeds."
    )
