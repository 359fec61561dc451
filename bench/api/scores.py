"""Scores of texts under a protocol, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.api.html import html, output
from bench.api.workspace import PathLike, open_workspace
from bench.core.errors import BenchError, did_you_mean
from bench.core.text_table import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from bench.evaluation.protocols import Protocol

_KEY = ""
"""Stands for the key of an evaluation, where a table belongs to none."""


@dataclass(frozen=True)
class MetricScore:
    """A metric of all scored samples.

    Attributes:
        value: The metric as a share: 0.93 is 93 %.
        low: The lower end of its 95 % interval over samples.
        high: Its upper end.
    """

    value: float
    low: float
    high: float


class Scores(Mapping[str, MetricScore]):
    """The metrics of predictions, by name. A notebook shows them as a table.

    Attributes:
        samples: How many samples are scored.
        excluded: How many are not, by the protocol's reason.
        predictions: The texts that were compared, with the counts of each metric: a table as
            `bench.evaluation.predictions` describes it.
    """

    def __init__(self, predictions: pa.Table) -> None:
        from bench.evaluation.predictions import excluded_counts

        self.predictions = predictions
        self.samples: int = predictions["excluded"].null_count
        self.excluded = excluded_counts(predictions)
        self._metrics = _metric_scores(predictions) if self.samples else {}

    def __getitem__(self, name: str) -> MetricScore:
        if name not in self._metrics:
            raise KeyError(f"there is no metric '{name}'{did_you_mean(name, self._metrics)}")
        return self._metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def to_arrow(self) -> pa.Table:
        """Return a row per metric: its name, its value and the ends of its interval."""
        import pyarrow as pa

        columns: dict[str, list[str] | list[float]] = {
            "metric": [*self],
            "value": [each.value for each in self.values()],
            "low": [each.low for each in self.values()],
            "high": [each.high for each in self.values()],
        }
        return pa.table(columns)

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_arrow` does, as a pandas DataFrame."""
        return self.to_arrow().to_pandas()

    def blocks(self) -> list[str | Table]:
        """Return what a person reads of them."""
        from bench.evaluation.metrics import find_metric

        rows = []
        for name, score in self.items():
            metric = find_metric(name)
            value, low, high = (metric.format(v) for v in (score.value, score.low, score.high))
            rows.append([f"{metric.title} {metric.unit}".strip(), value, f"[{low}, {high}]"])
        counted = f"{self.samples:,} samples scored, {sum(self.excluded.values()):,} excluded"
        return [counted, Table(["metric", "value", "95 %"], rows, ["value", "95 %"])]

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={score.value:.4f}" for name, score in self.items())
        return f"<bench.Scores {listed} of {self.samples} samples>"

    def __str__(self) -> str:
        from bench.core.text_table import draw

        return draw(self.blocks())

    def _repr_html_(self) -> str:
        return output(html(self.blocks()))


Texts = Sequence[str] | Mapping[str, str]


def score(
    references: Texts,
    hypotheses: Texts,
    *,
    protocol: str | Protocol,
    config: PathLike | None = None,
) -> Scores:
    """Score texts under a protocol, as `bench score` does, with intervals over samples.

    Args:
        references: The true texts: in a sequence, or by id.
        hypotheses: What was read: in the same order, or by the same ids.
        protocol: The name of a protocol of bench or of bench.toml.
        config: The bench.toml, which is read for protocols that bench has not; by default the
            nearest one at or above the working folder.

    Raises:
        BenchError: The texts do not match each other, or no sample is left to score.

    Examples:
        >>> scores = bench.score(["field", "tree", "It's"], ["field", "free", "its"],
        ...                      protocol="str-36")
        >>> round(scores["sequence-accuracy"].value, 3), scores.samples
        (0.667, 3)
        >>> scores["sequence-accuracy"].low < 0.667 < scores["sequence-accuracy"].high
        True
    """
    from bench.evaluation.predictions import Predictions, corpus_scores

    rules = _found_protocol(protocol, config)
    rows = Predictions(rules)
    for identity, reference, hypothesis in _samples(references, hypotheses):
        rows.add(identity, reference, hypothesis)
    table = rows.table()
    # Raises an error where nothing is scored.
    corpus_scores(table, rules)
    return Scores(table)


def _found_protocol(protocol: str | Protocol, config: PathLike | None) -> Protocol:
    """Return a protocol by its name. Raises BenchError if no protocol has that name."""
    from bench.evaluation.protocols import PROTOCOLS

    if not isinstance(protocol, str):
        return protocol
    # Without bench.toml where bench has the protocol itself.
    return PROTOCOLS.get(protocol) or open_workspace(config).config.protocol(protocol)


def _samples(references: Texts, hypotheses: Texts) -> Iterator[tuple[str, str, str]]:
    """Yield the id and both texts of each sample."""
    if isinstance(references, str) or isinstance(hypotheses, str):
        raise BenchError("score takes lists of texts, not one text; put it in a list: ['text']")
    if isinstance(references, Mapping) != isinstance(hypotheses, Mapping):
        raise BenchError(
            "references and hypotheses are one by id and one in a sequence; give both alike"
        )
    if isinstance(references, Mapping) and isinstance(hypotheses, Mapping):
        for texts, others in ((references, hypotheses), (hypotheses, references)):
            if lost := next((name for name in texts if name not in others), None):
                side = "hypotheses" if others is hypotheses else "references"
                raise BenchError(f"the {side} have no text for sample {lost!r}; add it")
        yield from ((name, text, hypotheses[name]) for name, text in references.items())
        return
    if len(references) != len(hypotheses):
        raise BenchError(
            f"there are {len(references):,} references and {len(hypotheses):,} hypotheses; give an "
            "empty text where nothing was read"
        )
    for number, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
        yield str(number), reference, hypothesis


def _metric_scores(table: pa.Table) -> dict[str, MetricScore]:
    from bench.evaluation.metrics import find_metric
    from bench.evaluation.statistics.significance import rate_interval
    from bench.leaderboards.aggregate import board_metric
    from bench.leaderboards.row_errors import errors_by_seed, score_over_seeds
    from bench.leaderboards.samples.column_counts import counts_of_table

    counts = counts_of_table(table, _KEY)
    scores = {}
    for name in counts.numerators:
        metric = board_metric(find_metric(name))
        errors, value = errors_by_seed(metric, counts, [_KEY]), counts.value(name, _KEY)
        if errors is not None and value is not None:
            with_interval = score_over_seeds(metric, [value], rate_interval(errors))
            scores[name] = MetricScore(value, with_interval.low, with_interval.high)
    return scores
