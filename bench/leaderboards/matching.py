"""Match the rows of two boards, and merge a published board with a partial working board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import UNSET

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row
    from bench.leaderboards.speed import Speed

MatchedRows = tuple["Row | None", "Row | None"]


def matched_rows(before: Board, after: Board) -> list[MatchedRows]:
    """Return the rows of two boards in pairs: those of `after` in order, then what it lacks.

    Rows of the same entry are the same row. Of the remaining rows, those of the same label are the
    same row: their entries differ if, for instance, the recipe of the whole suite changed.
    """
    by_entry = {row.entry: row for row in before.rows}
    partners = {row.entry: by_entry.pop(row.entry, None) for row in after.rows}
    by_label = {row.label: row for row in by_entry.values()}
    pairs: list[MatchedRows] = []
    for row in after.rows:
        partner = partners[row.entry] or by_label.pop(row.label, None)
        if partner:
            by_entry.pop(partner.entry, None)
        pairs.append((partner, row))
    return pairs + [(row, None) for row in by_entry.values()]


def changed_evaluations(before: Row, after: Row) -> list[tuple[int, str]]:
    """Return seed and column of the evaluations that both rows have under different keys."""
    old, new = before.evaluations, after.evaluations
    return [
        seed_and_column
        for seed_and_column, key in old.items()
        if new.get(seed_and_column, key) != key
    ]


def merged_rows(published: Board, working: Board) -> list[Row]:
    """Return the rows of a published board updated with those of a partial run.

    A published row is replaced if the working row has all of its evaluations, or is complete and
    has some under other keys. Rows that the suite no longer lists stay.
    """
    rows = []
    for old, new in matched_rows(published, working):
        if new and (old is None or _replaces(new, old, working)):
            rows.append(new)
        elif old:
            rows.append(old)
    return rows


def _replaces(new: Row, old: Row, working: Board) -> bool:
    if new.evaluations.items() >= old.evaluations.items():
        return True
    return bool(changed_evaluations(old, new)) and working.is_complete(new)


def with_published_speeds(board: Board, published: Board) -> Board:
    """Return `board` with the published latencies that would otherwise be lost.

    A valid latency is not replaced by an invalid or missing one of the same hardware and profile.
    If the hardware differs, the one with more valid latencies is displayed; with equally many, the
    board's own.
    """
    pairs = [(old, new) for old, new in matched_rows(published, board) if new]
    if published.speed_hardware in {None, board.speed_hardware}:
        return replace(
            board, rows=[_replace_speeds(new, _kept_speeds(old, new)) for old, new in pairs]
        )
    # Rows that stay as published have latencies of the published hardware.
    own = [
        _replace_speeds(new, _without_latencies(new.speed)) if new is old else new
        for old, new in pairs
    ]
    kept = [_replace_speeds(new, _speeds_on_published_hardware(old, new)) for old, new in pairs]
    names = {*published.other_hardware, *board.other_hardware}
    names |= {name for name in (published.speed_hardware, board.speed_hardware) if name}
    hardware, rows = published.speed_hardware, kept
    if board.speed_hardware and _count_valid(own) >= _count_valid(kept):
        hardware, rows = board.speed_hardware, own
    return replace(
        board, rows=rows, speed_hardware=hardware, other_hardware=sorted(names - {hardware or ""})
    )


def _replace_speeds(row: Row, speeds: Mapping[str, Speed]) -> Row:
    return replace(row, speed=dict(speeds))


def _kept_speeds(old: Row | None, new: Row) -> dict[str, Speed]:
    """Return the new speeds of a row; published ones if those are invalid or missing."""
    speeds = dict(new.speed)
    for column, before in (old.speed if old else {}).items():
        after = speeds.get(column)
        missing = after is None or after.profile is None
        same = old is not None and not changed_evaluations(old, new)
        same = same if missing else after is not None and after.profile == before.profile
        if before.valid and same and (missing or not (after and after.valid)):
            speeds[column] = before
    return speeds


def _speeds_on_published_hardware(old: Row | None, new: Row) -> dict[str, Speed]:
    """Return the speeds of a row on the published hardware; only MACs if it has none there."""
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
