"""The standings of a training: the rows of working boards that include it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.core.text_table import markdown
from bench.leaderboards import board as boards
from bench.leaderboards.formats.columns import AVERAGES, ranks_text, score_text
from bench.leaderboards.versions import working_boards

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row


@dataclass(frozen=True)
class Standing:
    """A row of a working board.

    Attributes:
        board: The board.
        row: The row, one of whose seeds used the training.
    """

    board: Board
    row: Row

    def table(self) -> str:
        """Return a Markdown table of the row's scores on each test set, with 95 % intervals."""
        columns = [*self.board.column_names]
        averages = [*AVERAGES] if len(columns) > 1 else []
        headers = ["rank", *columns, *(AVERAGES[name] for name in averages)]
        rows = []
        for metric in self.board.metrics:
            scores = self.row.scores.get(metric.name, {})
            means = self.row.averages.get(metric.name, {})
            cells = [scores.get(column) for column in columns] + [means.get(n) for n in averages]
            ranked = metric.name == self.board.ranked_by
            rank = ranks_text(self.row) if ranked else ""
            rows.append([metric.heading, rank, *(score_text(metric, cell) for cell in cells)])
        return markdown(["metric", *headers], rows, headers[1:])


def standings(results: Path, training: str) -> Iterator[Standing]:
    """Yield the rows of working boards that include the training with a key.

    Args:
        results: The folder of records and working boards.
        training: The key of the training.
    """
    for folder in working_boards(results):
        # A board that cannot be read is left out; the next run of its suite writes it again.
        with suppress(BenchError, OSError):
            board = boards.read_board(folder)
            for row in board.rows:
                if any(training in result.trainings for result in row.seeds):
                    yield Standing(board, row)
