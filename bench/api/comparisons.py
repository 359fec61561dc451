"""Two results on the same samples: which is better, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench.api.boards import Board
from bench.api.html import html, output
from bench.api.predictions import Predictions
from bench.api.scores import Scores
from bench.api.workspace import PathLike, open_workspace, warn
from bench.core.errors import BenchError
from bench.core.printable import printable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from bench.leaderboards.comparison import Comparison as PairComparison
    from bench.leaderboards.comparison import Side, Verdict

Comparable = str | Board | Predictions | Scores
_TEST = "test"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """B compared with A. A notebook shows it as tables.

    Attributes:
        pairs: What was compared: one pair, or of two boards each row that both have.
    """

    pairs: Sequence[PairComparison]

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """A verdict per pair, metric and test set: difference, 95 % interval, p, outcome."""
        return [verdict for pair in self.pairs for verdict in pair.verdicts]

    @property
    def regressed(self) -> bool:
        """Whether B is significantly worse in any verdict."""
        return any(pair.regressed for pair in self.pairs)

    def to_arrow(self) -> pa.Table:
        """Return a row per verdict, with the names of A and B."""
        import pyarrow as pa

        return pa.Table.from_pylist(
            [
                {"name_a": pair.a, "name_b": pair.b, **asdict(verdict)}
                for pair in self.pairs
                for verdict in pair.verdicts
            ]
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_arrow` does, as a pandas DataFrame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        names = ", ".join(f"{pair.a} and {pair.b}" for pair in self.pairs)
        return printable(f"<bench.Comparison of {names}>")

    def __str__(self) -> str:
        from bench.core.text_table import draw
        from bench.leaderboards.comparison import comparison_blocks

        return draw(comparison_blocks([*self.pairs]))

    def _repr_html_(self) -> str:
        from bench.leaderboards.comparison import comparison_blocks

        return output(html(comparison_blocks([*self.pairs])))


def compare(
    a: Comparable,
    b: Comparable,
    *,
    config: PathLike | None = None,
    results: PathLike | None = None,
) -> Comparison:
    """Compare B with A on the same samples, as `bench compare` does.

    Args:
        a: The key or folder of an evaluation or of a training (which stands for all its
            evaluations); a row of a board by its place (`quick#1`, `quick/v1#4`); a board; or
            `Predictions` or `Scores`.
        b: What is compared with it. Of two boards, each row that both have is compared.
        config: The bench.toml; by default the nearest one at or above the working folder.
        results: The folder of records; by default `results` beside bench.toml.

    Raises:
        BenchError: Something does not exist, only one of both is a board, or they have no samples
            or no metric in common.

    Examples:
        >>> compared = bench.compare("quick#1", "quick#2")
        >>> verdict = compared.verdicts[0]
        >>> verdict.low <= verdict.difference <= verdict.high, 0 <= verdict.p <= 1
        (True, True)
    """
    from bench.leaderboards import comparison

    workspace, faults = open_workspace(config, results), list[str]()
    a, b = (str(each.folder) if isinstance(each, Board) else each for each in (a, b))
    store, root = workspace.store, workspace.config.leaderboards
    if isinstance(a, str) and isinstance(b, str):
        pairs = comparison.compare_named(a, b, store, root, faults)
    else:
        sides = [
            comparison.find_side(each, store, root, faults)
            if isinstance(each, str)
            else _side(each, name)
            for each, name in zip((a, b), "AB", strict=True)
        ]
        pairs = [comparison.compare_sides(*sides)]
    warn(dict.fromkeys(faults))
    return Comparison(pairs)


def _side(result: Comparable, name: str) -> Side:
    """Return predictions as a side of a comparison."""
    from bench.evaluation.metrics import find_metric
    from bench.leaderboards.aggregate import board_metric
    from bench.leaderboards.comparison import Side, TestCounts
    from bench.leaderboards.samples.column_counts import counts_of_table

    if isinstance(result, Predictions):
        name, table = result.name, result.table
    elif isinstance(result, Scores):
        table = result.predictions
    else:
        raise BenchError(
            f"a value of type {type(result).__name__} cannot be compared; give predictions, "
            "scores, a board, or the key of an evaluation"
        )
    counts = counts_of_table(table, name)
    metrics = [board_metric(find_metric(metric)) for metric in counts.numerators]
    return Side(name, metrics, {_TEST: TestCounts(counts, [name])})
