"""Which rows of two boards are the same row, and how two boards become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import UNSET

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row
    from bench.leaderboards.speed import Speed

Pair = tuple["Row | None", "Row | None"]


def matched(before: Board, after: Board) -> list[Pair]:
    """Return the rows of two boards in pairs: those of `after` in order, then what it lacks.

    Rows of the same entry are the same row. Of the others, so are those of the same label, as
    where the recipe of a whole suite changed.
    """
    by_entry = {row.entry: row for row in before.rows}
    partners = {row.entry: by_entry.pop(row.entry, None) for row in after.rows}
    by_label = {row.label: row for row in by_entry.values()}
    pairs: list[Pair] = []
    for row in after.rows:
        partner = partners[row.entry] or by_label.pop(row.label, None)
        if partner:
            by_entry.pop(partner.entry, None)
        pairs.append((partner, row))
    return pairs + [(row, None) for row in by_entry.values()]


def changed_evaluations(before: Row, after: Row) -> list[tuple[int, str]]:
    """Return seed and column of the evaluations that both rows have under different keys."""
    old, new = before.evaluations, after.evaluations
    return [place for place in old if place in new and new[place] != old[place]]


def merged_rows(published: Board, working: Board) -> list[Row]:
    """Return the rows of a published board after a partial run: none gets less than it has.

    A published row stays unless the working one has all of its evaluations, or is complete where
    keys changed. Rows that the suite no longer lists stay.
    """
    rows = []
    for old, new in matched(published, working):
        if new and (old is None or _supersedes(new, old, working)):
            rows.append(new)
        elif old:
            rows.append(old)
    return rows


def _supersedes(new: Row, old: Row, working: Board) -> bool:
    if new.evaluations.items() >= old.evaluations.items():
        return True
    return bool(changed_evaluations(old, new)) and working.is_complete(new)


def with_published_speeds(board: Board, published: Board) -> Board:
    """Return `board` with the latencies of `published` that it would lose.

    A valid latency is not replaced by an invalid or a missing one of the same hardware and
    profile. Of two hardwares, the one with more valid latencies is shown, of equals the board's.
    """
    pairs = [(old, new) for old, new in matched(published, board) if new]
    if published.speed_hardware in {None, board.speed_hardware}:
        return replace(board, rows=[_replace_speeds(new, _kept(old, new)) for old, new in pairs])
    # Rows that stay as published have latencies of the published hardware.
    own = [
        _replace_speeds(new, _without_latencies(new.speed)) if new is old else new
        for old, new in pairs
    ]
    kept = [_replace_speeds(new, _of_hardware(old, new)) for old, new in pairs]
    names = {*published.other_hardware, *board.other_hardware}
    names |= {name for name in (published.speed_hardware, board.speed_hardware) if name}
    shown, rows = published.speed_hardware, kept
    if board.speed_hardware and _count_valid(own) >= _count_valid(kept):
        shown, rows = board.speed_hardware, own
    return replace(
        board, rows=rows, speed_hardware=shown, other_hardware=sorted(names - {shown or ""})
    )


def _replace_speeds(row: Row, speeds: Mapping[str, Speed]) -> Row:
    return replace(row, speed=dict(speeds))


def _kept(old: Row | None, new: Row) -> dict[str, Speed]:
    """Return the speeds of a row, those published where they hold and the new ones are worse."""
    speeds = dict(new.speed)
    for column, before in (old.speed if old else {}).items():
        after = speeds.get(column)
        missing = after is None or after.profile is None
        same = old is not None and not changed_evaluations(old, new)
        same = same if missing else after is not None and after.profile == before.profile
        if before.valid and same and (missing or not (after and after.valid)):
            speeds[column] = before
    return speeds


def _of_hardware(old: Row | None, new: Row) -> dict[str, Speed]:
    """Return the speeds of a row on the published hardware; MACs alone where there is none."""
    if old and not changed_evaluations(old, new):
        return _without_latencies(new.speed) | old.speed
    return _without_latencies(new.speed)


def _without_latencies(speeds: Mapping[str, Speed]) -> dict[str, Speed]:
    return {
        column: replace(
            speed,
            profile=None,
            milliseconds=dict.fromkeys(speed.milliseconds),
            reasons={},
            samples_per_second=UNSET,
            filling_batch=UNSET,
            memory=UNSET,
        )
        for column, speed in speeds.items()
    }


def _count_valid(rows: Sequence[Row]) -> int:
    return sum(speed.valid for row in rows for speed in row.speed.values())
