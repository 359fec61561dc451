"""Working boards: drawn from the records at hand, and kept beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.leaderboards.board import Board

FOLDER = "boards"


def working_folder(results: Path, suite: str) -> Path:
    """Return where the working board of a suite is."""
    return results / FOLDER / suite


def write_working(config: Config, suite: Suite) -> Board:
    """Draw the board of `suite` from its records, write it beside them, and return it."""
    raise NotImplementedError
