"""Texts that several formats of a board share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.core import documents

if TYPE_CHECKING:
    from bench.leaderboards.board import Board


def with_changed_texts(board: Board, change: Callable[[str], str]) -> Board:
    """Return a board with `change` applied to all its texts; its fingerprint stays the same."""
    return replace(documents.with_texts(board, change), identity=board.identity)


def scores_heading(board: Board) -> str:
    """Return the heading of the table of scores."""
    where = f" on {board.columns[0].name}" if len(board.columns) == 1 else ""
    return f"{board.ranking_metric.heading}{where}"
