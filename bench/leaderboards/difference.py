"""What changed between two boards, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.text_table import Styled, Table
from bench.leaderboards.comparison import difference_cells
from bench.leaderboards.formats.columns import NO_VALUE, main_score, signed_text
from bench.leaderboards.matching import changed_evaluations, matched_rows
from bench.trials.plan import differences

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.leaderboards.gate import Regression


@dataclass(frozen=True)
class Change:
    """The change of a row; pairs have the values before and after.

    Attributes:
        label: Name of the row on the later board.
        rank: Its rank.
        scores: Change of its average, by each metric that has a value on both boards.
        seeds: Its seeds.
        other_keys: Seeds with an evaluation whose key changed.
        revisions: Revisions of the code that its tasks ran.
        latencies: Whether a latency or a throughput changed.
    """

    label: str
    rank: tuple[int | None, int | None]
    scores: dict[str, float]
    seeds: tuple[list[int], list[int]]
    other_keys: list[int]
    revisions: tuple[list[str], list[str]]
    latencies: bool


@dataclass(frozen=True)
class Difference:
    """What changed from one board to another.

    Attributes:
        before: Name of the earlier board.
        after: Name of the later board.
        identity: Changes of protocol and test sets, as `path: before → after`.
        conditions: Changes of metrics, average, seeds and hardware, in the same form.
        added: Labels of rows that only the later board has.
        removed: Labels of rows that only the earlier board has.
        changed: The rows that both boards have and that changed.
        regressions: The rows that became worse; None if they were not requested.
    """

    before: str
    after: str
    identity: list[str]
    conditions: list[str]
    added: list[str]
    removed: list[str]
    changed: list[Change]
    regressions: list[Regression] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.identity or self.conditions or self.added or self.removed or self.changed)


def board_difference(before: Board, after: Board) -> Difference:
    """Return what changed from one board to another."""
    pairs = matched_rows(before, after)
    metrics = [metric.name for metric in after.metrics]
    return Difference(
        before=before.name,
        after=after.name,
        identity=[*differences(before.identity, after.identity)],
        conditions=[*differences(_conditions(before), _conditions(after))],
        added=[new.label for old, new in pairs if new and not old],
        removed=[old.label for old, new in pairs if old and not new],
        changed=[
            _row_change(old, new, before, after, metrics)
            for old, new in pairs
            if old and new and _content(old, before) != _content(new, after)
        ],
    )


def difference_blocks(change: Difference, metrics: list[BoardMetric]) -> list[str | Table]:
    """Return paragraphs and tables that display a difference.

    Args:
        change: The difference.
        metrics: The metrics of the later board.
    """
    parts: list[str | Table] = [f"{change.before} → {change.after}"]
    if change.identity:
        title = "Protocol or test sets changed; the scores cannot be compared"
        parts.append(_indented_list(title, change.identity))
    if change.conditions:
        parts.append(_indented_list("Conditions changed", change.conditions))
    if change.changed:
        parts.append(_changes_table(change.changed, metrics))
    if change.regressions is not None:
        parts += _regressions(change.regressions, metrics)
    for verb, labels in (("added", change.added), ("removed", change.removed)):
        if labels:
            parts.append(_indented_list(f"Rows {verb}", labels))
    return [*parts, "Nothing changed."] if change.is_empty else parts


def _conditions(board: Board) -> dict[str, object]:
    return {
        "metrics": ", ".join(metric.name for metric in board.metrics),
        "average": board.average,
        "seeds": board.seeds,
        "hardware": board.hardware,
        "latencies on": board.speed_hardware,
    }


def _content(row: Row, board: Board) -> tuple[object, ...]:
    """Return the values of a row in which `_row_change` can find a difference."""
    averages = {name: main_score(board, row, name) for name in row.averages}
    return row.rank, row.scores, averages, row.evaluations, row.revisions, _latencies(row)


def _latencies(row: Row) -> dict[str, dict[str, float | None]]:
    return {column: speed.figures for column, speed in sorted(row.speed.items())}


def _row_change(old: Row, new: Row, before: Board, after: Board, metrics: list[str]) -> Change:
    scores = {}
    for metric in metrics:
        first, second = main_score(before, old, metric), main_score(after, new, metric)
        if first and second:
            scores[metric] = second.mean - first.mean
    return Change(
        label=new.label,
        rank=(old.rank, new.rank),
        scores=scores,
        seeds=([r.seed for r in old.seeds], [r.seed for r in new.seeds]),
        other_keys=sorted({seed for seed, _ in changed_evaluations(old, new)}),
        revisions=(old.revisions, new.revisions),
        latencies=_latencies(old) != _latencies(new),
    )


def _regressions(regressions: list[Regression], metrics: list[BoardMetric]) -> list[str | Table]:
    """Return paragraphs and tables that display the rows that became worse."""
    if not regressions:
        return ["No row is significantly worse or lost."]
    by_name = {metric.name: metric for metric in metrics}
    headers = ["entry", "became", "from", "to", "difference", "95 %", "p"]
    rows = []
    for regression in regressions:
        cells = [regression.label, Styled(regression.kind, "failed")]
        verdict = regression.verdict
        if verdict is None:
            rows.append([*cells, *[NO_VALUE] * (len(headers) - len(cells))])
        else:
            metric = by_name[verdict.metric]
            cells += [metric.format(verdict.a), metric.format(verdict.b)]
            rows.append([*cells, *difference_cells(metric, verdict)])
    title = "Regressions, on the same samples, by the metric that ranks:"
    return [title, Table(headers, rows, headers[2:], ["p", "95 %"])]


def _indented_list(title: str, lines: list[str]) -> str:
    return "\n  ".join([f"{title}:", *lines])


def _changes_table(changes: list[Change], metrics: list[BoardMetric]) -> Table:
    scored = [metric for metric in metrics if any(metric.name in c.scores for c in changes)]
    headers = ["entry", "rank", *(metric.heading for metric in scored), "seeds", "other keys"]
    rows = [
        [
            change.label,
            _before_and_after(*(NO_VALUE if rank is None else str(rank) for rank in change.rank)),
            *(_score_change(metric, change) for metric in scored),
            _before_and_after(*map(_joined, change.seeds)),
            _joined(change.other_keys),
            "changed" if change.latencies else NO_VALUE,
            _before_and_after(*map(_joined, change.revisions)),
        ]
        for change in changes
    ]
    numbers = [*headers[1:]]
    optional = ["latencies", "code", "other keys", "seeds"]
    return Table([*headers, "latencies", "code"], rows, numbers, optional)


def _score_change(metric: BoardMetric, change: Change) -> str:
    value = change.scores.get(metric.name)
    return NO_VALUE if value is None else signed_text(metric, value)


def _joined(values: list[int] | list[str]) -> str:
    return ", ".join(map(str, values)) or NO_VALUE


def _before_and_after(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"
