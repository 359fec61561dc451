"""The columns of a board: the same numbers, in the same words, for every format."""

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

NOTHING = "–"
AVERAGES: dict[Average, str] = {"weighted": "average", "mean": "mean"}
"""The heading of each average."""
SHARED = "†"
"""Marks the time of trainings that had a GPU not for themselves."""
TEST_SEEN = "test set seen"
"""The heading of the warning that a test set may have been part of the training data."""

Group = Literal["entry", "score", "test sets", "other metrics", "origin", "cost", "code"]
"""What a column is about: `score` ranks; `test sets` are scores by the same metric."""
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
        key: Its name for machines, which does not change: `rank`, `sequence-accuracy/iiit5k`.
        heading: Its heading, with the unit.
        about: What its numbers are, in a clause.
        group: What it is about.
        values: Of each row, its value as it is stored; None where it has none.
        cells: Of each row, its value as people read it.
        metric: The metric of its scores; None of what is not a score.
    """

    key: str
    heading: str
    about: str
    group: Group
    values: list[Value]
    cells: list[str]
    metric: BoardMetric | None = None

    @property
    def is_text(self) -> bool:
        """Whether it holds words, which are flush left, rather than numbers."""
        return self.group in ("entry", "origin", "code") and self.key != "seeds"


def columns(board: Board) -> list[Column]:
    """Return the columns of a board that any row has a value in, in the order of importance.

    Each has the rows of the board, in its order.
    """
    rows = board.rows
    everything = [
        _ranks(rows),
        _of("entry", "entry", "what is ranked", "entry", rows, lambda row: row.label),
        *_scores(board, board.primary),
        *_leave_one_out(board),
        *(
            column
            for metric in board.metrics
            if metric.name != board.ranked_by
            for column in _scores(board, metric)
        ),
        *_origin(board),
        *_cost(rows),
        _of(
            "code",
            "code",
            "the commits that its trainings and evaluations ran; + means with changed files",
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
    """Return a score as `mean ± standard deviation [its interval]`; of one seed without ±."""
    if score is None:
        return NOTHING
    text = metric.format(score.mean)
    if deviation and score.std is not None:
        text = f"{text} ± {metric.format(score.std)}"
    return f"{text} [{metric.format(score.low)}, {metric.format(score.high)}]" if interval else text


def signed_text(metric: BoardMetric, difference: float) -> str:
    """Return a difference of two scores with its sign."""
    return f"{'-' if difference < 0 else '+'}{metric.format(abs(difference))}"


def p_text(p: float) -> str:
    """Return a probability with four digits."""
    return f"{p:.4f}" if p >= _SMALLEST_P else f"< {_SMALLEST_P}"


def main_score(board: Board, row: Row, metric: str) -> Score | None:
    """Return what stands for a metric of a row: its average over the test sets."""
    return row.averages.get(metric, {}).get(board.average)


def ranks(row: Row) -> str:
    """Return the ranks that a row may have, or its rank where there is only that."""
    if row.rank is None:
        return NOTHING
    return str(row.rank_interval or row.rank)


def may_be_best(row: Row) -> bool:
    """Return whether rank 1 is among the ranks that a row may have."""
    return (row.rank_interval.best if row.rank_interval else row.rank) == 1


def profiled_on_gpu(board: Board) -> bool:
    """Return whether any row has a throughput or a memory, which are measured on GPUs alone."""
    speeds = [speed for row in board.rows for speed in row.speed.values()]
    return any(each.memory or each.samples_per_second for each in speeds)


def _of(
    key: str,
    heading: str,
    about: str,
    group: Group,
    rows: Sequence[Row],
    value: Callable[[Row], Any],
    text: Callable[[Any], str] = str,
) -> Column:
    values = [value(row) for row in rows]
    cells = [NOTHING if each is None else text(each) for each in values]
    return Column(key, heading, about, group, values, cells)


def _ranks(rows: Sequence[Row]) -> Column:
    values: list[Value] = [
        None if row.rank is None else row.rank_interval or Ranks(row.rank, row.rank) for row in rows
    ]
    about = "the ranks that it may have, all pairs of entries compared together at 5 %"
    return Column("rank", "rank", about, "entry", values, [*map(ranks, rows)])


def _scores(board: Board, metric: BoardMetric) -> Iterator[Column]:
    """Yield the columns of a metric: of several test sets, the averages, the one that ranks first.

    The average that ranks is the score of the board; of a single test set, that is the score.
    """
    if len(board.columns) > 1:
        for average in sorted(AVERAGES, key=lambda each: each != board.average):
            yield _average(board, metric, average)
    for name in board.column_names:
        yield _on_test_set(board, metric, name)


def _average(board: Board, metric: BoardMetric, average: Average) -> Column:
    primary = metric.name == board.ranked_by
    other: Group = "test sets" if primary else "other metrics"
    return _score_column(
        metric,
        AVERAGES[average],
        f"{metric.heading} {AVERAGES[average]}",
        f"{metric.title} {_AVERAGE_ABOUT[average]}: {_SCORE_ABOUT}",
        "score" if primary and average == board.average else other,
        [row.averages.get(metric.name, {}).get(average) for row in board.rows],
    )


def _on_test_set(board: Board, metric: BoardMetric, name: str) -> Column:
    primary, several = metric.name == board.ranked_by, len(board.columns) > 1
    group: Group = "test sets" if several else "score"
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
    place: str,
    heading: str,
    about: str,
    group: Group,
    scores: Sequence[Score | None],
) -> Column:
    cells = [score_text(metric, score) for score in scores]
    return Column(f"{metric.name}/{place}", heading, about, group, [*scores], cells, metric)


def _leave_one_out(board: Board) -> Iterator[Column]:
    if len(board.columns) > 1:
        about = "the best and the worst rank by the average with one test set left out"
        yield _of(
            "leave-one-out",
            "one set left out",
            about,
            "test sets",
            board.rows,
            lambda row: row.leave_one_out,
        )


def _origin(board: Board) -> Iterator[Column]:
    rows = board.rows
    if any(row.origin != "trained" for row in rows):
        about = "whether bench trained it, or where else it comes from"
        yield _of("origin", "origin", about, "origin", rows, lambda row: row.origin)
        about = "whether a test set may have been part of its training data"
        yield _of(
            "test-seen",
            TEST_SEEN,
            about,
            "origin",
            rows,
            lambda row: "not excluded" if row.may_have_seen else "no",
        )
    wanted = len(board.seeds)
    yield _of(
        "seeds",
        "seeds",
        f"how many of its {wanted} seeds are done on every test set",
        "origin",
        rows,
        lambda row: len(row.done(board.column_names)) if row.origin == "trained" else None,
        lambda done: f"{done}/{wanted}",
    )


def _cost(rows: Sequence[Row]) -> Iterator[Column]:
    """Yield what reading and training cost."""
    yield _measured(
        "parameters",
        "parameters",
        "the number of weights",
        [row.parameters for row in rows],
        lambda count: f"{count:,}",
    )
    yield _measured(
        "macs",
        "MACs",
        "products, convolutions and attention of one sample",
        [[each.macs for each in _speeds(row) if each.macs is not None] for row in rows],
        text_table.magnitude,
    )
    for batch in map(str, BATCH_SIZES):
        yield _measured(
            f"latency/{batch}",
            f"ms b{batch}",
            f"median milliseconds for a batch of {batch}, from inputs in memory to labels",
            [_present(each.milliseconds.get(batch) for each in _speeds(row)) for row in rows],
            lambda value: f"{value:.2f}",
        )
    yield _of(
        "price",
        "$ per 1,000",
        "US dollars for 1,000 samples",
        "cost",
        rows,
        lambda row: row.price,
        lambda price: f"{price:.3f}",
    )
    yield _measured(
        "throughput",
        THROUGHPUT,
        "samples per second with the batch that fills the GPU",
        [_present(each.samples_per_second for each in _speeds(row)) for row in rows],
        lambda rate: f"{rate:,.0f}",
    )
    for batch in map(str, BATCH_SIZES):
        yield _measured(
            f"memory/{batch}",
            f"MiB b{batch}",
            f"the most memory of the GPU that tensors took at a batch of {batch}",
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
    yield from _training_cost(rows)


def _measured(
    key: str,
    heading: str,
    about: str,
    measurements: Sequence[Sequence[float]],
    text: Callable[[Any], str],
) -> Column:
    """Return a column of several measurements per row, as of several input shapes.

    A cell has the least and the largest; the value, by which tables are sorted, is the largest.
    """
    ordered = [sorted(each) for each in measurements]
    values: list[Value] = [each[-1] if each else None for each in ordered]
    return Column(key, heading, about, "cost", values, [as_range(map(text, e)) for e in ordered])


def _training_cost(rows: Sequence[Row]) -> Iterator[Column]:
    seconds = [row.training_seconds for row in rows]
    cells = [
        NOTHING if each is None else f"{each:.1f}{f' {SHARED}' if row.shared_gpu else ''}"
        for row, each in zip(rows, seconds, strict=True)
    ]
    about = "wall time of its trainings, the mean over seeds"
    yield Column("training-seconds", "training s", about, "cost", [*seconds], cells)
    yield _of(
        "gpu-hours",
        "GPU h",
        "hours of whole GPUs for its trainings, the mean over seeds",
        "cost",
        rows,
        lambda row: row.gpu_hours,
        lambda hours: f"{hours:.2f}",
    )
    yield _of(
        "training-memory",
        "training MiB",
        "the most memory of the GPU that tensors took in training",
        "cost",
        rows,
        lambda row: row.training_memory,
        text_table.mebibytes,
    )


def _speeds(row: Row) -> list[Speed]:
    return [row.speed[column] for column in sorted(row.speed)]


def _present(values: Iterable[Any]) -> list[float]:
    return [value for value in values if value is not None and value is not UNSET]


def as_range(sorted_values: Iterable[str]) -> str:
    """Return the first and the last of sorted texts, as `first–last` where they differ."""
    values = [*dict.fromkeys(sorted_values)]
    return "–".join([values[0], values[-1]][: len(values)]) if values else NOTHING
