"""Working boards: computed from all records, and written to the folder of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.leaderboards import aggregate, board_files, versions
from bench.trials import grid, plan
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts


def working_folder(config: Config, suite: str) -> Path:
    """Return the folder of the working board of a suite."""
    return versions.working_board_path(config.results, suite)


def compute_working_board(
    config: Config, suite: Suite, faults: list[str] | None = None
) -> tuple[Board, dict[str, ColumnCounts]]:
    """Return the board of `suite` as its records give it, and its counts by column.

    Args:
        config: The configuration, with the folder of records.
        suite: The suite.
        faults: A sentence is appended for each record that cannot be used and is left out.
    """
    store = Store(config.results)
    planned = plan.make_plan(grid.trials(suite), store)
    gathered = aggregate.gather_predictions(planned, store)
    board = aggregate.working_board(suite, planned, gathered, [*store.profiles()])
    if faults is not None:
        faults += [*planned.faults, *gathered.faults.values()]
    return board, gathered.counts


def write_working_board(config: Config, suite: Suite, faults: list[str] | None = None) -> Board:
    """Compute the working board of `suite`, write its files, and return it.

    Args:
        config: The configuration, with the folder of records.
        suite: The suite.
        faults: A sentence is appended for each record that cannot be used and is left out.
    """
    board, counts = compute_working_board(config, suite, faults)
    board_files.write_board(board, counts, working_folder(config, suite.name))
    return board
