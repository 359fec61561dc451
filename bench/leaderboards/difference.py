"""Two boards side by side: what changed between them, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.text_table import Styled, Table
from bench.leaderboards.comparison import difference_cells
from bench.leaderboards.formats.columns import NOTHING, main_score, signed_text
from bench.leaderboards.matching import changed_evaluations, matched
from bench.trials.plan import differences

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.leaderboards.gate import Regression


@dataclass(frozen=True)
class Change:
    """How a row changed; a pair is before and after.

    Attributes:
        label: What the later board calls it.
        rank: Its rank.
        scores: The change of its average by each metric that both boards have a value of.
        seeds: Its seeds.
        other_keys: The seeds with an evaluation under another key.
        revisions: The code behind it.
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
        before: The name of the one.
        after: The name of the other.
        identity: What of protocol and test sets changed, as `path: before → after`.
        conditions: What of metrics, average, seeds and hardware changed, likewise.
        added: The labels of rows that only the later board has.
        removed: The labels of rows that only the earlier board has.
        changed: The rows that both have and that are not the same.
        regressions: The rows that became worse; None where nobody asked for them.
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
    def nothing(self) -> bool:
        """Whether both boards say the same."""
        return not (self.identity or self.conditions or self.added or self.removed or self.changed)


def difference(before: Board, after: Board) -> Difference:
    """Return what changed from one board to another."""
    pairs = matched(before, after)
    metrics = [metric.name for metric in after.metrics]
    return Difference(
        before=before.name,
        after=after.name,
        identity=[*differences(before.identity, after.identity)],
        conditions=[*differences(_conditions(before), _conditions(after))],
        added=[new.label for old, new in pairs if new and not old],
        removed=[old.label for old, new in pairs if old and not new],
        changed=[
            _change(old, new, before, after, metrics)
            for old, new in pairs
            if old and new and _content(old, before) != _content(new, after)
        ],
    )


def text(change: Difference, metrics: list[BoardMetric]) -> list[str | Table]:
    """Return a difference for a person.

    Args:
        change: The difference.
        metrics: The metrics of the later board.
    """
    parts: list[str | Table] = [f"{change.before} → {change.after}"]
    if change.identity:
        title = "Protocol or test sets changed; the scores do not compare"
        parts.append(_listed(title, change.identity))
    if change.conditions:
        parts.append(_listed("Conditions changed", change.conditions))
    if change.changed:
        parts.append(_table(change.changed, metrics))
    if change.regressions is not None:
        parts += _regressions(change.regressions, metrics)
    for verb, labels in (("added", change.added), ("removed", change.removed)):
        if labels:
            parts.append(_listed(f"Rows {verb}", labels))
    return [*parts, "Nothing changed."] if change.nothing else parts


def _conditions(board: Board) -> dict[str, object]:
    return {
        "metrics": ", ".join(metric.name for metric in board.metrics),
        "average": board.average,
        "seeds": board.seeds,
        "hardware": board.hardware,
        "latencies on": board.speed_hardware,
    }


def _content(row: Row, board: Board) -> tuple[object, ...]:
    """Return what of a row a change may be in."""
    averages = {name: main_score(board, row, name) for name in row.averages}
    return row.rank, row.scores, averages, row.evaluations, row.revisions, _latencies(row)


def _latencies(row: Row) -> dict[str, dict[str, float | None]]:
    return {column: speed.figures for column, speed in sorted(row.speed.items())}


def _change(old: Row, new: Row, before: Board, after: Board, metrics: list[str]) -> Change:
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
    """Return which rows became worse."""
    if not regressions:
        return ["No row is significantly worse or lost."]
    by_name = {metric.name: metric for metric in metrics}
    headers = ["entry", "became", "from", "to", "difference", "95 %", "p"]
    rows = []
    for each in regressions:
        cells = [each.label, Styled(each.kind, "failed")]
        verdict = each.verdict
        if verdict is None:
            rows.append([*cells, *[NOTHING] * (len(headers) - len(cells))])
        else:
            metric = by_name[verdict.metric]
            cells += [metric.format(verdict.a), metric.format(verdict.b)]
            rows.append([*cells, *difference_cells(metric, verdict)])
    title = "Regressions, on the same samples, by the metric that ranks:"
    return [title, Table(headers, rows, headers[2:], ["p", "95 %"])]


def _listed(title: str, lines: list[str]) -> str:
    return "\n  ".join([f"{title}:", *lines])


def _table(changes: list[Change], metrics: list[BoardMetric]) -> Table:
    shown = [metric for metric in metrics if any(metric.name in c.scores for c in changes)]
    headers = ["entry", "rank", *(metric.heading for metric in shown), "seeds", "other keys"]
    rows = [
        [
            change.label,
            _moved(*(NOTHING if rank is None else str(rank) for rank in change.rank)),
            *(_score(metric, change) for metric in shown),
            _moved(*map(_joined, change.seeds)),
            _joined(change.other_keys),
            "changed" if change.latencies else NOTHING,
            _moved(*map(_joined, change.revisions)),
        ]
        for change in changes
    ]
    numbers = [*headers[1:]]
    optional = ["latencies", "code", "other keys", "seeds"]
    return Table([*headers, "latencies", "code"], rows, numbers, optional)


def _score(metric: BoardMetric, change: Change) -> str:
    value = change.scores.get(metric.name)
    return NOTHING if value is None else signed_text(metric, value)


def _joined(values: list[int] | list[str]) -> str:
    return ", ".join(map(str, values)) or NOTHING


def _moved(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"
