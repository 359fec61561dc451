"""Two boards side by side: what moved between them, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cli.render import text_table
from bench.leaderboards import render
from bench.trials.plan import differences

if TYPE_CHECKING:
    from bench.leaderboards.aggregate import Board, Names, Row, Spread

_HEADERS = (
    "dataset",
    "model",
    "loss",
    "rank",
    "accuracy, points",
    "CER, points",
    "seeds",
    "other keys",
    "commit",
)
_RIGHT = "rank,seeds"


@dataclass(frozen=True)
class Change:
    """How a row moved; a pair is before and after, scores moved by percentage points.

    `other_keys` are the seeds on both sides whose trials have not the same key.
    """

    row: Names
    rank: tuple[int | None, int | None]
    sequence_accuracy: float | None
    cer: float | None
    seeds: tuple[list[int], list[int]]
    other_keys: list[int]
    commits: tuple[list[str], list[str]]


@dataclass(frozen=True)
class Difference:
    """What moved from one board to another.

    `identity` and `conditions` (seeds and hardware) list `path: before → after`.
    """

    before: str
    after: str
    identity: list[str]
    conditions: list[str]
    added: list[Names]
    removed: list[Names]
    changed: list[Change]


def between(before: Board, after: Board) -> Difference:
    """Compare two boards; rows with the same labels are the same row."""
    old, new = _rows(before), _rows(after)
    return Difference(
        before=f"{before.suite} v{before.version}",
        after=f"{after.suite} v{after.version}",
        identity=[*differences(before.identity, after.identity)],
        conditions=[*differences(_conditions(before), _conditions(after))],
        added=[names for names in new if names not in old],
        removed=[names for names in old if names not in new],
        changed=[
            _change(names, old[names], row)
            for names, row in new.items()
            if names in old and _told(old[names]) != _told(row)
        ],
    )


def text(found: Difference) -> str:
    """Explain the difference to a person."""
    parts = [f"{found.before} → {found.after}"]
    if found.identity:
        parts.append(
            _listed("Protocol or data moved; the scores are not comparable", found.identity)
        )
    if found.conditions:
        parts.append(_listed("The conditions moved", found.conditions))
    if found.changed:
        parts.append(text_table.plain(_HEADERS, [*map(_cells, found.changed)], _RIGHT))
    for verb, rows in (("added", found.added), ("removed", found.removed)):
        if rows:
            listed = [" · ".join(filter(None, names)) for names in rows]
            parts.append(_listed(f"Rows {verb}", listed))
    return "\n\n".join(parts if len(parts) > 1 else [*parts, "Nothing moved."])


def _rows(board: Board) -> dict[Names, Row]:
    return {row.names: row for row in board.rows}


def _conditions(board: Board) -> dict[str, list[int] | list[str]]:
    return {"seeds": board.seeds, "hardware": board.hardware}


def _told(row: Row) -> tuple[object, ...]:
    """Return what a change tells of a row."""
    return row.rank, row.sequence_accuracy, row.cer, _keys(row), row.commits


def _keys(row: Row) -> dict[int, str]:
    return {seed.seed: seed.key for seed in row.seeds}


def _change(names: Names, before: Row, after: Row) -> Change:
    old, new = _keys(before), _keys(after)
    return Change(
        row=names,
        rank=(before.rank, after.rank),
        sequence_accuracy=_points(before.sequence_accuracy, after.sequence_accuracy),
        cer=_points(before.cer, after.cer),
        seeds=([*old], [*new]),
        other_keys=[seed for seed in old if new.get(seed, old[seed]) != old[seed]],
        commits=(before.commits, after.commits),
    )


def _points(before: Spread | None, after: Spread | None) -> float | None:
    return 100 * (after.mean - before.mean) if before and after else None


def _listed(title: str, lines: list[str]) -> str:
    return "\n  ".join([f"{title}:", *lines])


def _cells(change: Change) -> list[str]:
    ranks = [render.NOTHING if rank is None else str(rank) for rank in change.rank]
    dataset, model, loss, recipe = change.row
    return [
        dataset,
        model,
        f"{loss}, {recipe}" if recipe else loss,
        _moved(*ranks),
        _signed(change.sequence_accuracy),
        _signed(change.cer),
        _moved(*map(_joined, change.seeds)),
        _joined(change.other_keys),
        _moved(*map(_joined, change.commits)),
    ]


def _signed(points: float | None) -> str:
    return render.NOTHING if points is None else f"{points:+.2f}"


def _joined(values: list[int] | list[str]) -> str:
    return ", ".join(map(str, values)) or render.NOTHING


def _moved(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"
