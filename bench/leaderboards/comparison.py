"""Two trials, rows or boards on the same samples: which reads better, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from bench.cli.render import text_table
from bench.core.errors import BenchError
from bench.leaderboards import board_samples as samples
from bench.leaderboards import render, versions
from bench.leaderboards.intervals import outcomes

if TYPE_CHECKING:
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.aggregate import Board
    from bench.trials.store import Store

LEVEL = 0.05
_SMALL = 0.0001
Metric = Literal["sequence accuracy", "CER", "WER"]
Outcome = Literal["better", "worse", "no difference shown"]


class Side(NamedTuple):
    """What is compared: its name, its dataset, what it got wrong, and what that is a rate of."""

    name: str
    dataset: str
    outcomes: SampleErrors
    rate: Metric


@dataclass(frozen=True)
class Verdict:
    """One metric of B held against A: scores in 0…1, their `difference` B - A and its interval.

    `p` is two-sided. B is better or worse where it is below 5 %; else a difference below
    `detectable` would have shown in fewer than 80 % of such comparisons.
    """

    metric: Metric
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
    """B held against A on the `samples` of a dataset."""

    a: str
    b: str
    dataset: str
    samples: int
    verdicts: list[Verdict]

    @property
    def regressed(self) -> bool:
        """Whether B is worse in any metric."""
        return any(verdict.outcome == "worse" for verdict in self.verdicts)


def between(a: str, b: str, store: Store, boards: Path) -> list[Comparison]:
    """Compare what two words mean: trials (keys), rows (`suite#1`) or boards (`suite/v1`).

    Of two boards, each row that both have. Raises BenchError where a word means nothing, where
    only one of them is a board, or where the samples are not the same.
    """
    first, second = (_sides(word, store, boards) for word in (a, b))
    if (None in first) != (None in second):
        board = b if None in first else a
        raise BenchError(f"'{board}' is a board, the other is not; name a row of it: '{board}#1'")
    shared = [name for name in first if name in second]
    if not shared:
        raise BenchError(f"'{a}' and '{b}' have no row in common; compare rows: '{a}#1' '{b}#1'")
    return [_compared(first[name], second[name]) for name in shared]


def _sides(word: str, store: Store, boards: Path) -> Mapping[object, Side]:
    found = re.fullmatch(r"(.+)#([1-9][0-9]*)", word)
    if found:
        sides = [*_rows(found[1], boards).values()]
        place = int(found[2])
        if place > len(sides):
            raise BenchError(f"board '{found[1]}' has {len(sides)} rows with a score, no {place}th")
        return {None: sides[place - 1]}
    if word in versions.named(boards):
        return _rows(word, boards)
    return {None: _trial(word, store)}


def _rows(word: str, boards: Path) -> dict[object, Side]:
    """Return the rows of a board that have a score, in their order."""
    folder = versions.find(word, boards)
    board: Board = render.read(folder)
    known = samples.read(folder)
    sides: dict[object, Side] = {}
    for row in board.rows:
        if row.seeds and row.dataset in known:
            outcome = outcomes([seed.key for seed in row.seeds], known[row.dataset])
            name = f"{row.names.shown} ({versions.name(folder)})"
            sides[row.names] = Side(name, row.dataset, outcome, _rate(board.rules))
    if not sides:
        raise BenchError(
            f"{folder}: this board has no samples to compare; write it again with "
            f"`bench board {board.suite}`"
        )
    return sides


def _trial(word: str, store: Store) -> Side:
    record, known = samples.of_trial(word, store)
    labels = record.labels
    name = f"{labels['model']} × {labels['loss']}, seed {record.seed} ({record.key})"
    rate = _rate(record.spec["protocol"])
    return Side(name, labels["dataset"], outcomes([record.key], known), rate)


def _rate(rules: Mapping[str, object]) -> Metric:
    return "WER" if rules.get("unit") == "gloss" else "CER"


def _compared(a: Side, b: Side) -> Comparison:
    return Comparison(
        a.name,
        b.name,
        a.dataset,
        len(a.outcomes.ids),
        [
            _verdict("sequence accuracy", a.outcomes.sequence_errors, b.outcomes.sequence_errors),
            _verdict(a.rate, a.outcomes, b.outcomes),
        ],
    )


def _verdict(metric: Metric, a: SampleErrors, b: SampleErrors) -> Verdict:
    from bench.evaluation.statistics import significance as statistics

    found = statistics.compare(b, a)
    outcome: Outcome = "no difference shown"
    if found.p < LEVEL:
        outcome = "better" if found.difference < 0 else "worse"
    rates, ends = (a.rate, b.rate), (found.low, found.high)
    difference = found.difference
    if metric == "sequence accuracy":
        # Of 0 no -0 is made.
        rates, difference = (1 - a.rate, 1 - b.rate), 0 - difference
        ends = (-found.high, -found.low)
    return Verdict(metric, *rates, difference, *ends, found.p, found.detectable, outcome)


_HEADERS = ("", "A %", "B %", "B - A, points", "95 %", "p", "B is")
_RIGHT = "A %,B %,B - A,points,p"


def text(found: list[Comparison]) -> str:
    """Explain comparisons to a person."""
    return "\n\n".join(map(_explained, found))


def _explained(found: Comparison) -> str:
    rows = [
        [
            one.metric,
            f"{100 * one.a:.2f}",
            f"{100 * one.b:.2f}",
            f"{100 * one.difference:+.2f}",
            f"[{100 * one.low:+.2f}, {100 * one.high:+.2f}]",
            f"{one.p:.4f}" if one.p >= _SMALL else f"< {_SMALL}",
            one.outcome,
        ]
        for one in found.verdicts
    ]
    return "\n".join(
        [
            f"A: {found.a}",
            f"B: {found.b}",
            f"on {found.samples:,} samples of {found.dataset}",
            text_table.plain(_HEADERS, rows, _RIGHT),
            *(_missed(one) for one in found.verdicts if one.outcome == "no difference shown"),
        ]
    )


def _missed(verdict: Verdict) -> str:
    """Say how large a difference might have gone unseen."""
    return (
        f"{verdict.metric}: four of five such comparisons show a difference of "
        f"{100 * verdict.detectable:.1f} points; a smaller one needs more samples or seeds."
    )
