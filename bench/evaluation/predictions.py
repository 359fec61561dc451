"""Tables of predictions as Parquet: what was read of each sample, and its counts per metric."""

from __future__ import annotations

import heapq
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.core.errors import BenchError, Exit
from bench.core.printable import first_line
from bench.core.regular_files import is_there, read_regular
from bench.evaluation.metrics import find_metric, metrics_of
from bench.evaluation.metrics.readings import Readings, normalize_samples
from bench.evaluation.prediction_checks import check_counts, check_rows
from bench.evaluation.sample_properties import check_properties, property_fields

if TYPE_CHECKING:
    from bench.evaluation.metrics import Metric
    from bench.evaluation.metrics.localization import Localization, LocalizationColumns
    from bench.evaluation.protocols import Protocol

# Parquet names the values of a list "element". With another name, a table would change when it is
# written and read again.
_INTEGERS = pa.list_(pa.field("element", pa.int16()))
_FLOATS = pa.list_(pa.field("element", pa.float32()))
_FIELDS = (
    ("id", pa.string()),
    ("reference", pa.string()),
    ("hypothesis", pa.string()),
    ("excluded", pa.string()),
    ("confidence", pa.float32()),
    ("path", _INTEGERS),
    ("aligned", _INTEGERS),
    ("scores", _FLOATS),
    ("key_frames", _INTEGERS),
)
"""The columns of every table.

`reference` and `hypothesis` are not normalized, so that all other values can be recomputed.
`excluded` is the reason why the protocol does not score the sample, else null. `path` is the best
class of each valid frame, `aligned` the frame of each label read, `scores` the confidence of each
label read, `key_frames` the true frame of each label. These are empty or null where they are
unknown, or where the frames of the network are not those of its input."""
_METRICS = b"bench.metrics"
_ROWS_PER_BATCH = 4096
MAX_ROWS, MAX_TABLE = 10**7, 2**31
"""The most samples, and the most bytes by its metadata, of a table that is read."""


class WorstSample(NamedTuple):
    """A sample with many errors.

    Attributes:
        id: The id of the sample.
        reference: The true text, not normalized.
        hypothesis: The text read, not normalized.
        errors: The number of errors by `error_metric`.
    """

    id: str
    reference: str
    hypothesis: str
    errors: int


def predictions_schema(metrics: Sequence[str], columns: Iterable[str] = ()) -> pa.Schema:
    """Return the schema of a table of predictions.

    Each metric has two columns, int64: NAME has the numerators, NAME/of the denominators. They are
    null where the sample is excluded or the metric has no counts.

    Args:
        metrics: The names of the metrics.
        columns: Names of columns, of which those of `sample_properties` are in the schema.
    """
    counts = [(column, pa.int64()) for name in metrics for column in _columns(name)]
    return pa.schema(
        [*_FIELDS, *counts, *property_fields(columns)], {_METRICS: json.dumps([*metrics])}
    )


class Predictions:
    """A table of predictions that is filled sample by sample, with the counts of the metrics.

    Args:
        protocol: The protocol under which texts are compared, and whose metrics are counted.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._metrics = metrics_of(protocol)
        self._schema = predictions_schema(protocol.metrics)
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(
        self,
        identity: str,
        reference: str,
        hypothesis: str,
        *,
        confidence: float | None = None,
        path: Sequence[int] | None = None,
        aligned: Sequence[int] | None = None,
        scores: Sequence[float] | None = None,
        key_frames: Sequence[int] | None = None,
    ) -> None:
        """Add one sample.

        Args:
            identity: The id of the sample.
            reference: The true text, not normalized.
            hypothesis: The text read, not normalized.
            confidence: The confidence of the hypothesis, in 0…1.
            path: The best class of each valid frame.
            aligned: The frame of each label read.
            scores: The confidence of each label read, in 0…1.
            key_frames: The true frame of each label of the reference.

        Raises:
            BenchError: A sample is too long to be aligned; the message has its id.
        """
        located = confidence, path, aligned, scores, key_frames
        self._rows.append((identity, reference, hypothesis, *located))
        if len(self._rows) == _ROWS_PER_BATCH:
            self._pack()

    def table(self) -> pa.Table:
        """Return all samples as a table with `predictions_schema`.

        Raises:
            BenchError: A sample is too long to be aligned; the message has its id.
        """
        self._pack()
        table = pa.Table.from_batches(self._batches, self._schema)
        if any(metric.whole_corpus for metric in self._metrics):
            table = self._count_whole_corpus(table)
        return table

    def _pack(self) -> None:
        """Count the rows and convert them to columns, which take a fraction of the memory."""
        if not self._rows:
            return
        ids, references, hypotheses, *located = map(list, zip(*self._rows, strict=True))
        self._rows.clear()
        _, reasons, readings = normalize_samples(self._protocol, ids, references, hypotheses)
        columns: list[list[Any] | None] = [ids, references, hypotheses, reasons, *located]
        for metric in self._metrics:
            columns += _count(metric, readings, reasons) if not metric.whole_corpus else [None] * 2
        arrays = [
            pa.nulls(len(ids), field.type) if column is None else pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def _count_whole_corpus(self, table: pa.Table) -> pa.Table:
        """Fill the columns of the metrics that need all samples at once."""
        texts = [table[name].to_pylist() for name in ("id", "reference", "hypothesis")]
        _, reasons, readings = normalize_samples(self._protocol, *texts)
        readings.frames = _frames(table, self._protocol)
        for metric in self._metrics:
            if metric.whole_corpus:
                counted = _count(metric, readings, reasons)
                for name, column in zip(_columns(metric.name), counted, strict=True):
                    index = self._schema.get_field_index(name)
                    array = pa.array(column or [None] * len(reasons), pa.int64())
                    table = table.set_column(index, self._schema.field(index), array)
        return table


def recount_metrics(table: pa.Table, protocol: Protocol) -> pa.Table:
    """Return the columns `excluded` and those of the metrics, recomputed from the other columns.

    Raises:
        BenchError: A sample is too long to be aligned; the message has its id.
    """
    recounted = Predictions(protocol)
    texts = ["id", "reference", "hypothesis"]
    located = ["confidence", "path", "aligned", "scores", "key_frames"]
    if not any(metric.whole_corpus for metric in metrics_of(protocol)):
        located = []
    for batch in table.select([*texts, *located]).to_batches(_ROWS_PER_BATCH):
        columns = [column.to_pylist() for column in batch.columns]
        for identity, reference, hypothesis, *values in zip(*columns, strict=True):
            recounted.add(
                identity, reference, hypothesis, **dict(zip(located, values, strict=True))
            )
    metrics = [column for name in protocol.metrics for column in _columns(name)]
    return recounted.table().select(["excluded", *metrics])


def corpus_scores(table: pa.Table, protocol: Protocol) -> dict[str, float]:
    """Return the value of each metric of the protocol over the whole table, by name.

    Metrics without counts are left out.

    Raises:
        BenchError: No sample is scored.
    """
    scored = table["excluded"].null_count
    if not scored:
        raise BenchError(
            f"no sample with a reference is left to score under protocol '{protocol.name}'; "
            "check why its samples are excluded, and choose another protocol or data set"
        )
    values = {}
    for name in protocol.metrics:
        numerator, denominator = (_sum(table[column]) for column in _columns(name))
        if denominator:
            values[name] = numerator / denominator
    return values


def excluded_counts(table: pa.Table) -> dict[str, int]:
    """Return how many samples are excluded, by reason, sorted."""
    reasons = Counter(reason for reason in table["excluded"].to_pylist() if reason is not None)
    return dict(sorted(reasons.items()))


def dropped_counts(table: pa.Table, protocol: Protocol) -> dict[str, int]:
    """Return how often the protocol drops each character of the references, sorted by character.

    References of excluded samples are counted too.
    """
    dropped = Counter[str]()
    for chunk in table["reference"].chunks:
        for reference in chunk.to_pylist():
            dropped.update(protocol.dropped(reference))
    return dict(sorted(dropped.items()))


def label_localization(table: pa.Table, protocol: Protocol) -> Localization | None:
    """Return the localization of the labels of the scored samples.

    None if no sample has a key frame, or a label read has no run on its path.
    """
    from bench.evaluation.metrics.localization import measure_localization

    columns = _frames(table, protocol)
    try:
        return measure_localization(columns) if columns else None
    except ValueError:
        return None


def blank_ratio(table: pa.Table) -> float | None:
    """Return the share of blank frames in the scored samples, in 0…1; None without paths."""
    from pyarrow import compute

    from bench.evaluation.metrics.localization import BLANK

    frames = table.filter(compute.is_null(table["excluded"]))["path"].combine_chunks().flatten()
    return compute.mean(compute.equal(frames, BLANK)).as_py() if len(frames) else None


def error_metric(protocol: Protocol) -> Metric:
    """Return the metric by which single samples are sorted.

    It is the first metric of the protocol that is better the lower it is, such as CER or WER, else
    the metric that ranks boards.
    """
    counting = (metric for metric in metrics_of(protocol) if not metric.higher_is_better)
    return next(counting, find_metric(protocol.ranked_by))


def worst_samples(table: pa.Table, protocol: Protocol, count: int) -> list[WorstSample]:
    """Return the scored samples with the most errors, in descending order, at most `count`.

    Errors are the numerators of `error_metric`, or denominators minus numerators if higher is
    better. Samples with equally many errors are in the order of the table.
    """
    metric = error_metric(protocol)
    columns = ("id", "reference", "hypothesis", *_columns(metric.name))
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    wrong: list[tuple[int, int, tuple[str, str, str]]] = []
    for index, (identity, reference, hypothesis, above, below) in enumerate(rows):
        errors = 0 if above is None else below - above if metric.higher_is_better else above
        if errors > 0:
            wrong.append((-errors, index, (identity, reference, hypothesis)))
    return [WorstSample(*texts, -errors) for errors, _, texts in heapq.nsmallest(count, wrong)]


def predictions_to_bytes(table: pa.Table) -> bytes:
    """Return a table as the content of a Parquet file; equal rows give equal bytes."""
    stream = io.BytesIO()
    # One chunk, because the bytes would depend on the sizes of the chunks.
    parquet.write_table(table.combine_chunks(), stream, compression="zstd")
    return stream.getvalue()


def read_predictions(file: Path, remedy: str = "evaluate again with --force") -> pa.Table:
    """Read a Parquet file that has the content of `predictions_to_bytes`.

    Args:
        file: The Parquet file.
        remedy: The last clause of an error, which says what to do.

    Raises:
        BenchError: The file is missing or damaged, or its columns are not those of its metrics;
            the exit code is `Exit.UNVERIFIED`.
    """
    if not is_there(file):
        raise BenchError(f"{file}: the file of predictions is missing; {remedy}", Exit.UNVERIFIED)
    try:
        content = read_regular(file)
    except OSError as error:
        raise _unreadable(file, error.strerror, remedy) from None
    return predictions_from_bytes(content, file, remedy)


def predictions_from_bytes(
    content: bytes, file: Path, remedy: str = "evaluate again with --force"
) -> pa.Table:
    """Read the content of a Parquet file.

    Args:
        content: What `predictions_to_bytes` returned.
        file: The file, for messages.
        remedy: The last clause of an error, which says what to do.

    Raises:
        BenchError: As `read_predictions`.
    """
    try:
        return parse_predictions(content)
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise _unreadable(file, str(error), remedy) from None


def _unreadable(file: Path, reason: str | None, remedy: str) -> BenchError:
    fault = f"{file}: the predictions cannot be read ({first_line(reason or '')}); {remedy}"
    return BenchError(fault, Exit.UNVERIFIED)


def parse_predictions(content: bytes) -> pa.Table:
    """Read what `predictions_to_bytes` returned.

    Raises:
        ValueError: The content is not a table of predictions, or a value is out of range. A
            damaged file raises errors of Arrow, or OSError.
    """
    # Without threads, because a process that exits while Arrow starts threads is aborted (Arrow
    # issue 34314).
    file = parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    metadata = file.metadata
    size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    if metadata.num_rows > MAX_ROWS or size > MAX_TABLE:
        raise ValueError(
            f"the table has {metadata.num_rows:,} rows and {size:,} bytes, but at most "
            f"{MAX_ROWS:,} rows and {MAX_TABLE:,} bytes are read"
        )
    table = file.read(use_threads=False)
    try:
        metrics = json.loads((table.schema.metadata or {}).get(_METRICS, b"null"))
    except RecursionError:
        metrics = None
    if (
        not isinstance(metrics, list)
        or not all(isinstance(name, str) for name in metrics)
        or len({*metrics}) < len(metrics)
    ):
        raise ValueError("the metadata has no list of metrics")
    expected = predictions_schema(metrics, table.column_names)
    if not table.schema.equals(expected):
        raise ValueError(f"the columns are not {', '.join(expected.names)}")
    table.validate(full=True)
    check_rows(table)
    check_properties(table)
    scored = np.array([reason is None for reason in table["excluded"].to_pylist()], dtype=bool)
    for name in metrics:
        check_counts(table, *_columns(name), scored)
    return table


def _columns(metric: str) -> tuple[str, str]:
    return metric, f"{metric}/of"


def _sum(column: pa.ChunkedArray) -> int:
    # Not Arrow's own sum, whose module takes long to import in each new worker. The sums are
    # integers below 2^53, which are exact in float64; nulls become NaN.
    return sum(int(np.nansum(chunk.to_numpy(zero_copy_only=False))) for chunk in column.chunks)


def _count(
    metric: Metric, readings: Readings, reasons: Sequence[str | None]
) -> list[list[Any] | None]:
    """Return numerators and denominators with one value per row; None is a column of nulls."""
    counts = metric.counts(readings) if len(readings) else None
    if counts is None:
        return [None, None]
    columns: list[list[Any] | None] = []
    for values in counts:
        scored = iter(values.tolist())
        columns.append([next(scored) if reason is None else None for reason in reasons])
    return columns


def _frames(table: pa.Table, protocol: Protocol) -> LocalizationColumns | None:
    """Return the columns for metrics of localization, or None if no row has a key frame."""
    if not any(len(chunk.flatten()) for chunk in table["key_frames"].chunks):
        return None
    names = ("path", "aligned", "key_frames", "scores")
    path, aligned, key_frames, label_scores = (
        [values or [] for values in table[name].to_pylist()] for name in names
    )
    confidence = table["confidence"].to_pylist()
    # In a row without a score per label, the confidence of the sample ranks all of its labels.
    ranked = [
        row or [math.nan if sample_score is None else sample_score] * len(frames)
        for row, sample_score, frames in zip(label_scores, confidence, aligned, strict=True)
    ]
    return {
        "reference": [protocol.tokens(text) for text in table["reference"].to_pylist()],
        "hypothesis": [protocol.tokens(text) for text in table["hypothesis"].to_pylist()],
        "excluded": table["excluded"].to_pylist(),
        "confidence": confidence,
        "path": path,
        "aligned": aligned,
        "key_frames": key_frames,
        "scores": ranked,
    }
