"""Working boards: drawn from the records at hand, and kept beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.leaderboards import aggregate, render, versions
from bench.trials import grid, plan
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.leaderboards.board import Board
    from bench.leaderboards.column_counts import ColumnCounts


def working_folder(config: Config, suite: str) -> Path:
    """Return where the working board of a suite is."""
    return versions.working_path(config.results, suite)


def draw(config: Config, suite: Suite) -> tuple[Board, dict[str, ColumnCounts]]:
    """Return the board of `suite` as its records give it, and the counts that it follows from."""
    store = Store(config.results)
    surveyed = plan.survey(grid.trials(suite), store)
    counts, faults = aggregate.gather(surveyed, store)
    board = aggregate.board(suite, surveyed, counts, [*store.profiles()], faults)
    return board, counts


def write_working(config: Config, suite: Suite) -> Board:
    """Draw the board of `suite` from its records, write it beside them, and return it."""
    board, counts = draw(config, suite)
    render.write(board, counts, working_folder(config, suite.name))
    return board
