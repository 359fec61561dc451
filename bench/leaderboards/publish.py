"""Publish the working board of a suite, as a new version or an update of the latest one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.leaderboards import board as boards
from bench.leaderboards import board_files, index, matching, versions
from bench.leaderboards.difference import Difference, board_difference
from bench.leaderboards.ranking import with_scores
from bench.leaderboards.samples import samples_file
from bench.leaderboards.samples.column_counts import ColumnCounts

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row

_MAX_LISTED = 3


@dataclass(frozen=True)
class Publication:
    """A board that is ready to be published.

    Attributes:
        board: The board to publish.
        counts: The counts of its evaluations, by column.
        change: The difference from the latest published version; None if there is none.
        problems: Sentences why it is published only with `--partial`.
    """

    board: Board
    counts: Mapping[str, ColumnCounts]
    change: Difference | None
    problems: list[str] = field(default_factory=list)


def prepare_publication(
    working: Board, counts: Mapping[str, ColumnCounts], root: Path, *, partial: bool = False
) -> Publication:
    """Return the board that publishing a working board would write below `root`.

    If protocol and test sets are unchanged, it replaces the latest version, otherwise it is the
    next version. Older versions are never written.

    Args:
        working: The working board.
        counts: The counts of its evaluations, by column.
        root: The folder of published boards.
        partial: Publish incomplete rows too, and keep published rows that have more evaluations.

    Raises:
        BenchError: No row has a score (nothing); or the latest version cannot be read.
    """
    if not any(row.seeds for row in working.rows):
        raise BenchError(
            f"suite '{working.suite}' has no record to publish; run: bench run {working.suite}",
            Exit.NOTHING,
        )
    folders = versions.suite_versions(root / working.suite)
    if not folders:
        return _publication(replace(working, version=1), counts, None)
    latest, number = boards.read_board(folders[0]), versions.version_number(folders[0])
    if latest.identity != working.identity:
        return _publication(replace(working, version=number + 1), counts, latest)
    candidate = replace(working, version=number)
    if partial:
        candidate, kept_keys = _merged(latest, candidate)
        published_counts = samples_file.read_counts(folders[0], latest.column_names)
        counts = _merged_counts(published_counts, counts, kept_keys)
        candidate = with_scores(candidate, counts)
    return _publication(matching.with_published_speeds(candidate, latest), counts, latest)


def publish(publication: Publication, root: Path) -> Path:
    """Write a publication below `root`, with the index, and return its folder."""
    board = publication.board
    folder = root / board.suite / f"v{board.version}"
    board_files.write_board(board, publication.counts, folder)
    index.write_index(root)
    return folder


def _publication(
    board: Board, counts: Mapping[str, ColumnCounts], latest: Board | None
) -> Publication:
    change = board_difference(latest, board) if latest else None
    return Publication(board, counts, change, _problems(board))


def _merged(published: Board, working: Board) -> tuple[Board, set[str]]:
    """Return `working` with the rows that stay as published, and the keys of their evaluations."""
    rows = matching.merged_rows(published, working)
    kept = [row for row in rows if any(row is old for old in published.rows)]
    columns = {column.name: column for column in published.columns}
    merged = replace(
        working,
        rows=rows,
        seeds=sorted({*working.seeds, *(seed for row in kept for seed in _training_seeds(row))}),
        columns=[
            columns[column.name] if column.samples is None else column for column in working.columns
        ],
    )
    return merged, {key for row in kept for key in row.evaluations.values()}


def _training_seeds(row: Row) -> list[int]:
    return [result.seed for result in row.seeds] if row.origin == "trained" else []


def _merged_counts(
    published: Mapping[str, ColumnCounts], working: Mapping[str, ColumnCounts], kept_keys: set[str]
) -> dict[str, ColumnCounts]:
    """Return the published counts of the evaluations `kept_keys`, and the working counts of others.

    The published ones prevail, because an evaluation may have run again since, with other counts.
    """
    merged = dict(working)
    for column, counts in published.items():
        both = ColumnCounts(counts.ids, ids_hash=counts.ids_hash)
        try:
            if column in working:
                both.add(working[column])
            both.add(counts.only_evaluations(kept_keys))
        except ValueError as error:
            raise BenchError(
                f"{column}: {error} between the published board and the records, under the same "
                "protocol and fingerprint; publish a complete board without --partial",
                Exit.UNVERIFIED,
            ) from None
        merged[column] = both
    return merged


def _problems(board: Board) -> list[str]:
    """Return sentences about missing evaluations and latencies that are not valid."""
    lacking = [
        f"{row.label}, seed {missing.seed} on {missing.column}: {missing.why}"
        for row in board.rows
        for missing in row.missing
    ]
    problems = []
    if lacking:
        count = len(lacking)
        noun = "evaluation is" if count == 1 else "evaluations are"
        problems.append(
            f"{count} {noun} missing ({_first_items(lacking)}); run: bench run {board.suite}"
        )
    unmeasured = [row.label for row in board.rows if row.timed and not _is_measured(row, board)]
    if unmeasured:
        problems.append(
            f"no valid latency of {_first_items(unmeasured)}; run: bench profile {board.suite}"
        )
    return problems


def _is_measured(row: Row, board: Board) -> bool:
    return all(column in row.speed and row.speed[column].valid for column in board.column_names)


def _first_items(items: list[str]) -> str:
    more = len(items) - _MAX_LISTED
    return "; ".join(items[:_MAX_LISTED]) + (f"; and {more} more" if more > 0 else "")
