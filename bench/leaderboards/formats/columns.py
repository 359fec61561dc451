"""The columns of a board: the same values and texts in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from msgspec import UNSET

from bench.core import text_table
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.speed import THROUGHPUT
from bench.profiling.method import BATCH_SIZES

if TYPE_CHECKING:
    from bench.config.suite import Average
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.leaderboards.speed import Speed

NO_VALUE = "–"
AVERAGES: dict[Average, str] = {"weighted": "average", "mean": "mean"}
"""The heading of each average."""
SHARED_GPU_MARK = "†"
"""Marks the time of trainings that shared a GPU with other tasks."""
TEST_SEEN = "test set seen"
"""The heading of the column that warns of test sets in the training data."""

ColumnGroup = Literal["entry", "score", "test sets", "other metrics", "origin", "cost", "code"]
"""The topic of a column: `score` ranks; `test sets` are scores by the same metric."""
Value = Score | Ranks | float | str | None
MAIN_COSTS = ("parameters", "latency/1")
"""The keys of the costs that every format shows beside the score that ranks."""
_AVERAGE_ABOUT: dict[Average, str] = {
    "weighted": "averaged over the test sets, weighted by their numbers of samples",
    "mean": "averaged over the test sets, each with the same weight",
}
_SMALLEST_P = 0.0001
_SCORE_ABOUT = "mean ± standard deviation over seeds [95 % interval over samples and seeds]"


@dataclass(frozen=True)
class Column:
    """A column of a board.

    Attributes:
        key: Stable name for programs, such as `rank` or `sequence-accuracy/iiit5k`.
        heading: Heading, with the unit.
        about: Description of the values.
        group: Topic of the column.
        values: Value of each row in full precision; None if the row has none.
        cells: Displayed text of each row.
        metric: The metric of scores; None if the values are not scores.
    """

    key: str
    heading: str
    about: str
    group: ColumnGroup
    values: list[Value]
    cells: list[str]
    metric: BoardMetric | None = None

    @property
    def is_text(self) -> bool:
        """Whether it has texts, which are aligned left, rather than numbers."""
        return self.group in ("entry", "origin", "code") and self.key != "seeds"


def board_columns(board: Board) -> list[Column]:
    """Return the columns of a board that have a value in any row, the most important first.

    Values and cells are in the order of the board's rows.
    """
    rows = board.rows
    everything = [
        _rank_column(rows),
        _row_column("entry", "entry", "what is ranked", "entry", rows, lambda row: row.label),
        *_score_columns(board, board.ranking_metric),
        *_leave_one_out_columns(board),
        *(
            column
            for metric in board.metrics
            if metric.name != board.ranked_by
            for column in _score_columns(board, metric)
        ),
        *_origin_columns(board),
        *_cost_columns(rows),
        _row_column(
            "code",
            "code",
            "commits of the code that its trainings and evaluations ran; + means with uncommitted "
            "changes",
            "code",
            rows,
            lambda row: ", ".join(row.revisions) or None,
        ),
    ]
    return [
        column
        for column in everything
        if column.group in ("entry", "score") or any(value is not None for value in column.values)
    ]


def score_text(
    metric: BoardMetric, score: Score | None, *, deviation: bool = True, interval: bool = True
) -> str:
    """Return a score as `mean ± standard deviation [interval]`; without ± if there is one seed."""
    if score is None:
        return NO_VALUE
    text = metric.format(score.mean)
    if deviation and score.std is not None:
        text = f"{text} ± {metric.format(score.std)}"
    return f"{text} [{metric.format(score.low)}, {metric.format(score.high)}]" if interval else text


def signed_text(metric: BoardMetric, difference: float) -> str:
    """Return a difference of two scores with its sign, also if it is positive."""
    return f"{'-' if difference < 0 else '+'}{metric.format(abs(difference))}"


def p_text(p: float) -> str:
    """Return a p-value with four decimals."""
    return f"{p:.4f}" if p >= _SMALLEST_P else f"< {_SMALLEST_P}"


def main_score(board: Board, row: Row, metric: str) -> Score | None:
    """Return the score of a row by a metric, averaged over the test sets as the board ranks."""
    return row.averages.get(metric, {}).get(board.average)


def ranks_text(row: Row) -> str:
    """Return the rank interval of a row, or its rank if it has no interval."""
    if row.rank is None:
        return NO_VALUE
    return str(row.rank_interval or row.rank)


def may_be_best(row: Row) -> bool:
    """Return whether the rank interval of a row includes rank 1."""
    return (row.rank_interval.best if row.rank_interval else row.rank) == 1


def profiled_on_gpu(board: Board) -> bool:
    """Return whether any row has a throughput or a peak memory, which only GPUs have."""
    speeds = [speed for row in board.rows for speed in row.speed.values()]
    return any(each.memory or each.samples_per_second for each in speeds)


def _row_column(
    key: str,
    heading: str,
    about: str,
    group: ColumnGroup,
    rows: Sequence[Row],
    value: Callable[[Row], Any],
    text: Callable[[Any], str] = str,
) -> Column:
    """Return a column whose values are computed from rows by `value`, and displayed by `text`."""
    values = [value(row) for row in rows]
    cells = [NO_VALUE if each is None else text(each) for each in values]
    return Column(key, heading, about, group, values, cells)


def _rank_column(rows: Sequence[Row]) -> Column:
    values: list[Value] = [
        None if row.rank is None else row.rank_interval or Ranks(row.rank, row.rank) for row in rows
    ]
    about = "the ranks that it may have; all pairs of entries are compared together at 5 %"
    return Column("rank", "rank", about, "entry", values, [*map(ranks_text, rows)])


def _score_columns(board: Board, metric: BoardMetric) -> Iterator[Column]:
    """Yield the columns of a metric: averages over several test sets, then each test set.

    The average that ranks comes first.
    """
    if len(board.columns) > 1:
        for average in sorted(AVERAGES, key=lambda each: each != board.average):
            yield _average_column(board, metric, average)
    for name in board.column_names:
        yield _test_set_column(board, metric, name)


def _average_column(board: Board, metric: BoardMetric, average: Average) -> Column:
    primary = metric.name == board.ranked_by
    other: ColumnGroup = "test sets" if primary else "other metrics"
    return _score_column(
        metric,
        AVERAGES[average],
        f"{metric.heading} {AVERAGES[average]}",
        f"{metric.title} {_AVERAGE_ABOUT[average]}: {_SCORE_ABOUT}",
        "score" if primary and average == board.average else other,
        [row.averages.get(metric.name, {}).get(average) for row in board.rows],
    )


def _test_set_column(board: Board, metric: BoardMetric, name: str) -> Column:
    primary, several = metric.name == board.ranked_by, len(board.columns) > 1
    group: ColumnGroup = "test sets" if several else "score"
    return _score_column(
        metric,
        name,
        f"{metric.heading} {name}" if several else metric.heading,
        f"{metric.title} on {name}: {_SCORE_ABOUT}",
        group if primary else "other metrics",
        [row.scores.get(metric.name, {}).get(name) for row in board.rows],
    )


def _score_column(
    metric: BoardMetric,
    name: str,
    heading: str,
    about: str,
    group: ColumnGroup,
    scores: Sequence[Score | None],
) -> Column:
    """Return a column of scores; `name` is that of a test set or an average."""
    cells = [score_text(metric, score) for score in scores]
    return Column(f"{metric.name}/{name}", heading, about, group, [*scores], cells, metric)


def _leave_one_out_columns(board: Board) -> Iterator[Column]:
    if len(board.columns) > 1:
        about = "the best and the worst rank by the average with one test set left out"
        yield _row_column(
            "leave-one-out",
            "one set left out",
            about,
            "test sets",
            board.rows,
            lambda row: row.leave_one_out,
        )


def _origin_columns(board: Board) -> Iterator[Column]:
    rows = board.rows
    if any(row.origin != "trained" for row in rows):
        about = "whether bench trained it or it comes from others"
        yield _row_column("origin", "origin", about, "origin", rows, lambda row: row.origin)
        about = "whether a test set may have been part of its training data"
        yield _row_column(
            "test-seen",
            TEST_SEEN,
            about,
            "origin",
            rows,
            lambda row: "not excluded" if row.may_have_seen else "no",
        )
    expected = len(board.seeds)
    yield _row_column(
        "seeds",
        "seeds",
        f"how many of its {expected} seeds are done on every test set",
        "origin",
        rows,
        lambda row: (
            len(row.complete_seeds(board.column_names)) if row.origin == "trained" else None
        ),
        lambda done: f"{done}/{expected}",
    )


def _cost_columns(rows: Sequence[Row]) -> Iterator[Column]:
    """Yield the columns with the cost of reading and training."""
    yield _measurement_column(
        "parameters",
        "parameters",
        "the number of weights",
        [row.parameters for row in rows],
        lambda count: f"{count:,}",
    )
    yield _measurement_column(
        "macs",
        "MACs",
        "multiply-accumulates of one sample: matrix products, convolutions and attention",
        [[each.macs for each in _speeds(row) if each.macs is not None] for row in rows],
        text_table.magnitude,
    )
    for batch in map(str, BATCH_SIZES):
        yield _measurement_column(
            f"latency/{batch}",
            f"ms b{batch}",
            f"median milliseconds for a batch of {batch}, from inputs in memory to labels",
            [
                _measured_values(each.milliseconds.get(batch) for each in _speeds(row))
                for row in rows
            ],
            lambda value: f"{value:.2f}",
        )
    yield _row_column(
        "price",
        "$ per 1,000",
        "US dollars for 1,000 samples",
        "cost",
        rows,
        lambda row: row.price,
        lambda price: f"{price:.3f}",
    )
    yield _measurement_column(
        "throughput",
        THROUGHPUT,
        "samples per second with the batch that fills the GPU",
        [_measured_values(each.samples_per_second for each in _speeds(row)) for row in rows],
        lambda rate: f"{rate:,.0f}",
    )
    for batch in map(str, BATCH_SIZES):
        yield _measurement_column(
            f"memory/{batch}",
            f"MiB b{batch}",
            f"peak memory of tensors on the GPU with a batch of {batch}",
            [
                [
                    each.memory[batch]
                    for each in _speeds(row)
                    if each.memory and batch in each.memory
                ]
                for row in rows
            ],
            text_table.mebibytes,
        )
    yield from _training_cost_columns(rows)


def _measurement_column(
    key: str,
    heading: str,
    about: str,
    measurements: Sequence[Sequence[float]],
    text: Callable[[Any], str],
) -> Column:
    """Return a column of measurements, of which a row has several if input shapes differ.

    A cell has the smallest and the largest; the value, by which tables are sorted, is the largest.
    """
    ordered = [sorted(each) for each in measurements]
    values: list[Value] = [each[-1] if each else None for each in ordered]
    return Column(key, heading, about, "cost", values, [as_range(map(text, e)) for e in ordered])


def _training_cost_columns(rows: Sequence[Row]) -> Iterator[Column]:
    seconds = [row.training_seconds for row in rows]
    cells = [
        NO_VALUE if each is None else f"{each:.1f}{f' {SHARED_GPU_MARK}' if row.shared_gpu else ''}"
        for row, each in zip(rows, seconds, strict=True)
    ]
    about = "wall time of its trainings, the mean over seeds"
    yield Column("training-seconds", "training s", about, "cost", [*seconds], cells)
    yield _row_column(
        "gpu-hours",
        "GPU h",
        "hours of whole GPUs for its trainings, the mean over seeds",
        "cost",
        rows,
        lambda row: row.gpu_hours,
        lambda hours: f"{hours:.2f}",
    )
    yield _row_column(
        "training-memory",
        "training MiB",
        "peak memory of tensors on the GPU in training",
        "cost",
        rows,
        lambda row: row.training_memory,
        text_table.mebibytes,
    )


def _speeds(row: Row) -> list[Speed]:
    return [row.speed[column] for column in sorted(row.speed)]


def _measured_values(values: Iterable[Any]) -> list[float]:
    return [value for value in values if value is not None and value is not UNSET]


def as_range(sorted_values: Iterable[str]) -> str:
    """Return the first and the last of sorted texts as `first–last`, or one text if all agree."""
    values = [*dict.fromkeys(sorted_values)]
    return "–".join([values[0], values[-1]][: len(values)]) if values else NO_VALUE
