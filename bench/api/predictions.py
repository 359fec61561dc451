"""Predictions: what was read of each sample of a test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.api.html import folded, html, output
from bench.api.scores import Scores
from bench.api.workspace import PathLike, open_workspace
from bench.core.errors import BenchError
from bench.core.printable import printable
from bench.core.text_table import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from bench.evaluation.predictions import WorstSample
    from bench.evaluation.protocols import Protocol
    from bench.trials.records import EvaluationRecord
    from bench.trials.store import Store

_WORST = 5
_SUFFIX = ".parquet"


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What was read of each sample of a test set. A notebook shows scores and worst samples.

    Attributes:
        name: What was read by what.
        table: A row per sample: id, reference, hypothesis, why it is not scored, confidence, and
            two integers per metric (`bench docs metrics`).
        protocol: The scoring rules; None of a file without its record.
        record: The record of the evaluation; None of what no record was written for.
        folder: The folder of the record.
    """

    name: str
    table: pa.Table
    protocol: Protocol | None = None
    record: EvaluationRecord | None = None
    folder: Path | None = None

    @cached_property
    def scores(self) -> Scores:
        """The metrics with their 95 % intervals over samples."""
        return Scores(self.table)

    def worst(self, count: int = 10) -> Sequence[WorstSample]:
        """Return the samples with the most errors: id, reference, hypothesis, errors.

        Raises:
            BenchError: The protocol is not known.
        """
        from bench.evaluation import predictions

        if self.protocol is None:
            raise BenchError(
                f"{self.name}: this file does not say its protocol; load the folder of its "
                "evaluation instead"
            )
        return predictions.worst_samples(self.table, self.protocol, count)

    def to_arrow(self) -> pa.Table:
        """Return a row per sample, see `table`."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return a row per sample as a pandas DataFrame, see `table`."""
        return self.table.to_pandas()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return printable(f"<bench.Predictions {self.name}: {len(self)} samples>")

    def _repr_html_(self) -> str:
        parts = [html([self.name, *self.scores.blocks()])]
        if self.protocol is not None:
            rows = [[*map(str, sample)] for sample in self.worst(_WORST)]
            headers = ["id", "reference", "hypothesis", "errors"]
            parts.append(folded("Worst samples", [Table(headers, rows, ["errors"])] * bool(rows)))
        return output(*parts)


def load_predictions(
    source: PathLike,
    *,
    config: PathLike | None = None,
    results: PathLike | None = None,
) -> Predictions:
    """Return the predictions that an evaluation left.

    Args:
        source: The beginning of the key of an evaluation (`Board.evaluations` lists them), or of a
            training with a single evaluation; the folder of one; or a file of predictions.
        config: The bench.toml; by default the nearest one at or above the working folder.
        results: The folder of records; by default `results` beside bench.toml.

    Raises:
        BenchError: There is no such evaluation, or its predictions are gone or altered.

    Examples:
        >>> key = bench.load_board("quick").evaluations()["key"][0].as_py()
        >>> predictions = bench.load_predictions(key)
        >>> [*predictions.to_pandas().columns[:3]]
        ['id', 'reference', 'hypothesis']
        >>> predictions.scores.samples == len(predictions)
        True
    """
    from bench.evaluation import predictions

    path = Path(source)
    if path.suffix == _SUFFIX:
        from bench.trials.store import EVALUATION, PREDICTIONS

        if path.name != PREDICTIONS or not (path.parent / EVALUATION).is_file():
            remedy = "name another file, or the key of an evaluation"
            return Predictions(str(path), predictions.read_predictions(path, remedy))
        path = path.parent
        source = path
    return _recorded(str(source), open_workspace(config, results).store)


def _recorded(word: str, store: Store) -> Predictions:
    from bench.evaluation import protocols
    from bench.leaderboards.comparison import training_evaluations
    from bench.trials.records import EvaluationRecord, Failure
    from bench.trials.store import predictions_of

    folder, record = store.find(word)
    if isinstance(record, Failure):
        raise BenchError(f"{folder}: this task failed, so it has no predictions; run it again")
    if not isinstance(record, EvaluationRecord):
        (folder, evaluation), *others = training_evaluations(record, store, [])
        if others:
            keys = ", ".join(each.key for each in [evaluation, *(each for _, each in others)])
            raise BenchError(
                f"training {record.key} has several evaluations: {keys}; name one of them"
            )
        record = evaluation
    protocol = protocols.protocol_from_spec(record.spec["protocol"], record.spec["metrics"])
    table = predictions_of(folder, record)
    labels = " · ".join(label for part, label in record.labels.items() if part != "test")
    name = f"{labels}, seed {record.seed}, on {record.labels['test']} ({record.key})"
    return Predictions(name, table, protocol, record, folder)
