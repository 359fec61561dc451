"""Boards: a suite's results, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bench.api.html import Blocks, folded, html, output
from bench.api.workspace import PathLike, Workspace, open_workspace, warn
from bench.core.errors import BenchError
from bench.core.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from bench.api.figures import Figures
    from bench.config.suite import Suite as SuiteData
    from bench.leaderboards.board import Board as BoardData
    from bench.leaderboards.board import Missing, Row

Format = Literal["md", "csv", "json", "latex", "html"]


@dataclass(frozen=True, eq=False, repr=False)
class Board:
    """The leaderboard of a suite. A notebook shows it as a table.

    Attributes:
        data: Everything that `board.json` holds.
        folder: The folder of its files.
    """

    data: BoardData
    folder: Path

    @property
    def name(self) -> str:
        """`suite/vN` of a published board, else the suite's name and `(working)`."""
        return self.data.name

    @property
    def metric(self) -> str:
        """The name of the metric that ranks."""
        return self.data.ranked_by

    @property
    def tests(self) -> list[str]:
        """The names of the test sets."""
        return self.data.column_names

    @property
    def rows(self) -> Sequence[Row]:
        """The entries by rank, then those that have none yet."""
        return self.data.rows

    @property
    def missing(self) -> dict[str, list[Missing]]:
        """The evaluations that entries lack and why, by the entry's label; empty when complete."""
        return {row.label: row.missing for row in self.data.rows if row.missing}

    @property
    def figures(self) -> Figures:
        """The figures that the board has the numbers for, as SVG."""
        from bench.api.figures import board_figures

        return board_figures(self.data)

    def to_arrow(self) -> pa.Table:
        """Return a row per entry, with the columns of `board.csv` (`bench docs board-formats`)."""
        import pyarrow as pa

        from bench.leaderboards.formats.board_fields import board_fields

        return pa.table({name: pa.array(v) for name, v in board_fields(self.data).items()})

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_arrow` does, as a pandas DataFrame."""
        return self.to_arrow().to_pandas()

    def evaluations(self) -> pa.Table:
        """Return a row per evaluation: entry, test set, seed, its key, and its scores by metric.

        The keys are those that `load_predictions`, `compare` and `figures` take.
        """
        import pyarrow as pa

        rows: list[dict[str, Any]] = [
            {"entry": row.label, "test": column, "seed": result.seed, "key": key}
            | {name: scores.get(column) for name, scores in result.scores.items()}
            for row in self.data.rows
            for result in row.seeds
            for column, key in result.evaluations.items()
        ]
        types = {"entry": pa.string(), "test": pa.string(), "seed": pa.int64(), "key": pa.string()}
        types |= {metric.name: pa.float64() for metric in self.data.metrics}
        return pa.Table.from_pylist(rows, pa.schema([*types.items()]))

    def format(self, name: Format) -> str:
        """Return the board as `bench board --format` prints it.

        Args:
            name: `md`, `csv`, `json`, `latex`, or `html`: a page with scripts for a browser.
        """
        from bench.leaderboards.formats.board_formats import DOCUMENTS
        from bench.leaderboards.samples import samples_file

        if name not in DOCUMENTS:
            raise BenchError(f"there is no format '{name}'; there is {', '.join(DOCUMENTS)}")
        counts = lambda: samples_file.read_counts(self.folder, self.tests)  # noqa: E731
        return DOCUMENTS[name](self.data, counts).decode()

    def __repr__(self) -> str:
        return printable(f"<bench.Board {self.name}: {len(self.rows)} rows in {self.folder}>")

    def __str__(self) -> str:
        from bench.core.text_table import draw
        from bench.leaderboards.formats.terminal_board import terminal_blocks

        return draw(terminal_blocks(self.data))

    def _repr_html_(self) -> str:
        from bench.core.printable import shortened
        from bench.leaderboards.formats.board_texts import scores_heading, with_changed_texts
        from bench.leaderboards.formats.notes import board_notes
        from bench.leaderboards.formats.tables import detail_tables, main_table

        board = with_changed_texts(self.data, shortened)
        heading = f"{board.name} · protocol {board.protocol} · {scores_heading(board)}"
        details: dict[str, Blocks] = {name: [t] for name, t in detail_tables(board).items()}
        parts = [
            folded(name, blocks)
            for name, blocks in {**details, "Notes": board_notes(board)}.items()
        ]
        return output(html([heading, main_table(board)]), *parts)


def load_board(
    board: PathLike = "quick",
    *,
    config: PathLike | None = None,
    results: PathLike | None = None,
) -> Board:
    """Return a board that was written before; nothing is run or computed.

    Args:
        board: A suite, of which the working board is meant, or where there is none the latest
            published one; a published version such as `quick/v1`; or the folder of a board.
        config: The bench.toml; by default the nearest one at or above the working folder.
        results: The folder of records; by default `results` beside bench.toml.

    Raises:
        BenchError: There is no such board, or it cannot be read.

    Examples:
        >>> board = bench.load_board("quick")
        >>> board.name, board.tests, board.metric
        ('quick (working)', ['seq-digits'], 'sequence-accuracy')
        >>> accuracy = board.to_pandas()["sequence-accuracy/seq-digits_mean"]
        >>> bool(accuracy.max() <= 1)
        True
    """
    from bench.leaderboards import board as boards
    from bench.leaderboards import versions

    home = open_workspace(config, results).config
    folder = versions.find_board(str(board), home.leaderboards, home.results)
    return Board(boards.read_board(folder), folder)


def draw_board(workspace: Workspace, suite: SuiteData) -> Board:
    """Write the working board of a suite from its records, and return it."""
    from bench.leaderboards import working

    faults: list[str] = []
    data = working.write_working_board(workspace.config, suite, faults)
    warn(faults)
    return Board(data, working.working_folder(workspace.config, suite.name))
