"""Two evaluations, trainings, rows or boards on the same samples: which is better, how surely."""

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
from bench.leaderboards.matching import matched
from bench.leaderboards.row_errors import errors_of
from bench.leaderboards.samples import column_counts, samples_file
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.trials.records import EvaluationRecord, Failure, TrainingRecord

if TYPE_CHECKING:
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.evaluation.statistics.significance import Comparison as Compared
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.trials.store import Store

ALPHA = 0.05
Outcome = Literal["better", "worse", "no difference shown"]
_STYLES: dict[Outcome, Style] = {"better": "best", "worse": "failed"}


class TestCounts(NamedTuple):
    """What one side counts on one test set, and the keys of its seeds."""

    counts: ColumnCounts
    keys: list[str]


@dataclass(frozen=True)
class Side:
    """What is compared.

    Attributes:
        name: Its name for people.
        metrics: Its metrics.
        tests: Its test sets, by name.
    """

    name: str
    metrics: list[BoardMetric]
    tests: dict[str, TestCounts]


@dataclass(frozen=True)
class Verdict:
    """B compared with A by one metric on one test set, or on the average of all of them.

    Attributes:
        metric: The name of the metric.
        test: The test set, or which average.
        a: The score of A, as a share.
        b: The score of B.
        difference: B - A.
        low: The lower end of its 95 % interval.
        high: Its upper end.
        p: The two-sided probability of such a difference if both were equal.
        detectable: The difference that four of five such comparisons would show.
        outcome: B is better or worse where `p` is below 5 %.
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
    """B compared with A.

    Attributes:
        a: The name of A.
        b: The name of B.
        samples: The scored samples of each test set that both have.
        metrics: The metrics that both have.
        verdicts: One for each metric and test set, and for each average of several.
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


def compare_words(a: str, b: str, store: Store, root: Path, faults: list[str]) -> list[Comparison]:
    """Compare what two words mean: keys of tasks, rows (`suite#1`) or boards (`suite/v1`).

    A training stands for all of its evaluations. Of two boards, each row that both have.

    Args:
        a: What is compared.
        b: What it is compared with.
        store: The records.
        root: The folder of published boards.
        faults: Is given a sentence on each record that may be of a training and cannot be read.

    Raises:
        BenchError: A word means nothing, only one of them is a board, or they have no test set
            or row in common.
    """
    first, second = (_board(word, store, root) for word in (a, b))
    if (first is None) != (second is None):
        board = b if first is None else a
        raise BenchError(f"'{board}' is a board, the other is not; name a row of it: '{board}#1'")
    if first is None or second is None:
        return [compare(*(find_side(word, store, root, faults) for word in (a, b)))]
    pairs = [
        (old, new)
        for old, new in matched(first[0], second[0])
        if old and new and old.seeds and new.seeds
    ]
    if not pairs:
        raise BenchError(f"'{a}' and '{b}' have no row in common; compare rows: '{a}#1' '{b}#1'")
    return [compare_rows(first, old, second, new) for old, new in pairs]


def compare_rows(
    before: tuple[Board, Path], old: Row, after: tuple[Board, Path], new: Row
) -> Comparison:
    """Compare two rows, each of a board with its folder."""
    return compare(_row_side(*before, old), _row_side(*after, new))


def compare(a: Side, b: Side) -> Comparison:
    """Compare two sides on the test sets and by the metrics that both have."""
    pairs = _common_tests(a, b)
    names = {metric.name for metric in b.metrics}
    metrics = [metric for metric in a.metrics if metric.name in names]
    verdicts = [verdict for metric in metrics for verdict in _verdicts(metric, pairs)]
    if not verdicts:
        raise BenchError(
            f"{a.name} and {b.name} have no metric in common on the same test set; "
            "compare results whose protocols share a metric"
        )
    samples = {test: first.counts.samples for test, (first, _) in pairs.items()}
    return Comparison(a.name, b.name, samples, metrics, verdicts)


def outcome(compared: Compared) -> Outcome:
    """Return what is shown of the row whose errors are compared: better where they are fewer."""
    if compared.p >= ALPHA:
        return "no difference shown"
    return "better" if compared.difference < 0 else "worse"


def signed_difference(metric: BoardMetric, compared: Compared) -> tuple[float, float, float]:
    """Return a difference of errors, and its interval, as one of values of the metric."""
    if metric.higher_is_better:
        # 0 - 0 is 0, where -0.0 would be written as -0.00.
        return 0 - compared.difference, 0 - compared.high, 0 - compared.low
    return compared.difference, compared.low, compared.high


def text(comparisons: list[Comparison]) -> list[str | Table]:
    """Return comparisons for a person."""
    return [block for each in comparisons for block in _text(each)]


def _board(word: str, store: Store, root: Path) -> tuple[Board, Path] | None:
    folder = versions.find_or_none(word, root, store.root)
    return (boards.read(folder), folder) if folder else None


def find_side(word: str, store: Store, root: Path, faults: list[str]) -> Side:
    """Return what a key, a folder of a record, or a row (`suite#1`) stands for.

    Raises:
        BenchError: It stands for nothing, or for something without scores.
    """
    place = re.fullmatch(r"(.+)#([1-9][0-9]*)", word)
    if not place:
        return _record_side(word, store, faults)
    folder = versions.find(place[1], root, store.root)
    board = boards.read(folder)
    rows = [row for row in board.rows if row.seeds]
    if int(place[2]) > len(rows):
        raise BenchError(f"board '{place[1]}' has {len(rows)} rows with a score, not {place[2]}")
    return _row_side(board, folder, rows[int(place[2]) - 1])


def _row_side(board: Board, folder: Path, row: Row) -> Side:
    counts = samples_file.read(folder, board.column_names)
    tests = {}
    for column in board.column_names:
        keys = [r.evaluations[column] for r in row.seeds if column in r.evaluations]
        if keys and column in counts:
            tests[column] = TestCounts(counts[column], keys)
    if not tests:
        raise BenchError(
            f"{folder}: this board has no samples to compare; write it again with "
            f"`bench board {board.suite}`"
        )
    return Side(f"{row.label} ({board.name})", board.metrics, tests)


def _record_side(word: str, store: Store, faults: list[str]) -> Side:
    """Return an evaluation, or all evaluations of a training, as a side."""
    from bench.evaluation import metrics

    folder, record = store.find(word)
    if isinstance(record, Failure):
        raise BenchError(f"{folder}: this task failed, so it has no score; `bench show` says why")
    evaluations = (
        [(folder, record)]
        if isinstance(record, EvaluationRecord)
        else evaluations_of(record, store, faults)
    )
    tests: dict[str, TestCounts] = {}
    names: dict[str, None] = {}
    for place, each in evaluations:
        test = each.labels["test"]
        if test in tests:
            raise BenchError(
                f"training {record.key} has several evaluations on {test}: "
                f"{tests[test].keys[0]} and {each.key}; name one of them instead"
            )
        tests[test] = TestCounts(column_counts.of_record(each, place), [each.key])
        names |= dict.fromkeys(each.scores)
    labels = evaluations[0][1].labels
    parts = " · ".join(label for part, label in labels.items() if part != "test")
    name = f"{parts}, seed {record.seed}"
    return Side(
        f"{name} ({record.key})", [board_metric(metrics.find_metric(n)) for n in names], tests
    )


def evaluations_of(
    training: TrainingRecord, store: Store, faults: list[str]
) -> list[tuple[Path, EvaluationRecord]]:
    """Return the evaluations of a training, each with its folder. Raises BenchError on none."""
    evaluations = [each for each in store.evaluations(faults) if each[1].training == training.key]
    if not evaluations:
        raise BenchError(f"training {training.key} has no evaluation; run its suite: bench run")
    return evaluations


def _common_tests(a: Side, b: Side) -> dict[str, tuple[TestCounts, TestCounts]]:
    """Return the test sets that both sides have; of one each, whatever they are called."""
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


def _verdicts(
    metric: BoardMetric, pairs: Mapping[str, tuple[TestCounts, TestCounts]]
) -> list[Verdict]:
    errors = {}
    for name, (first, second) in pairs.items():
        if first.counts.names != second.counts.names:
            raise BenchError(f"{name}: both have other samples; compare on the same test set")
        both = [errors_of(metric, side.counts, side.keys) for side in (first, second)]
        if both[0] is not None and both[1] is not None:
            errors[name] = (both[0], both[1])
    verdicts = [_verdict(metric, name, [a], [b], [1.0]) for name, (a, b) in errors.items()]
    if len(errors) > 1 and len(errors) == len(pairs):
        verdicts += _averages(metric, *([*side] for side in zip(*errors.values(), strict=True)))
    return verdicts


def _averages(metric: BoardMetric, a: list[SampleErrors], b: list[SampleErrors]) -> list[Verdict]:
    """Return the verdicts on both averages; none where seeds lack a test set."""
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
        outcome=outcome(compared),
    )


def _text(comparison: Comparison) -> Iterator[str | Table]:
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
        unseen = [
            _detectable(metric, verdict)
            for verdict in verdicts
            if verdict.outcome == "no difference shown" and verdict.detectable
        ]
        if unseen:
            yield "\n".join(unseen)


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
    """Return a difference with its sign, its interval, and p."""
    return [
        signed_text(metric, verdict.difference),
        f"[{signed_text(metric, verdict.low)}, {signed_text(metric, verdict.high)}]",
        p_text(verdict.p),
    ]


def _detectable(metric: BoardMetric, verdict: Verdict) -> str:
    """Say how large a difference might have gone unseen."""
    return (
        f"{verdict.test}: four of five such comparisons show a difference of "
        f"{metric.format(verdict.detectable)}; a smaller one needs more samples or seeds."
    )
