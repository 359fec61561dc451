"""Working boards: drawn from the records at hand, and kept beside them."""

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
    """Return where the working board of a suite is."""
    return versions.working_path(config.results, suite)


def draw(
    config: Config, suite: Suite, faults: list[str] | None = None
) -> tuple[Board, dict[str, ColumnCounts]]:
    """Return the board of `suite` as its records give it, and the counts that it follows from.

    Args:
        config: Where the records are.
        suite: The suite.
        faults: Is given a sentence on each record that cannot be used, and is not on the board.
    """
    store = Store(config.results)
    surveyed = plan.survey(grid.trials(suite), store)
    gathered = aggregate.gather(surveyed, store)
    board = aggregate.board(suite, surveyed, gathered, [*store.profiles()])
    if faults is not None:
        faults += [*surveyed.faults, *gathered.faults.values()]
    return board, gathered.counts


def write_working(config: Config, suite: Suite, faults: list[str] | None = None) -> Board:
    """Draw the board of `suite` as `draw` does, write it beside the records, and return it."""
    board, counts = draw(config, suite, faults)
    board_files.write(board, counts, working_folder(config, suite.name))
    return board
