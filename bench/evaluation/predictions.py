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
    from bench.evaluation.metrics.localization import Columns, Localization
    from bench.evaluation.protocols import Protocol

# Parquet calls the values of a list so; a table read is then equal to the one written.
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
"""`reference` and `hypothesis` are not normalized, so that everything can be computed again.
`excluded` is why the protocol does not score the sample, or null. `path` is the best class of each
valid frame, `aligned` the frame on it of each label read, `scores` the confidence of its span,
`key_frames` the true frame of each label; empty or null where unknown, and where frames of the
network are not those of its input."""
_METRICS = b"bench.metrics"
_ROWS_PER_BATCH = 4096
MAX_ROWS, MAX_TABLE = 10**7, 2**31
"""Samples of a table that is read, and the bytes that it says to have."""


class WorstSample(NamedTuple):
    """A sample with many errors; `errors` are counted by the metric that ranks the samples."""

    id: str
    reference: str
    hypothesis: str
    errors: int


def predictions_schema(metrics: Sequence[str], columns: Iterable[str] = ()) -> pa.Schema:
    """Return the columns of a table with these metrics, and with the properties among `columns`.

    A metric has two, int64: NAME, the numerator, and NAME/of, the denominator. They are null where
    the sample is excluded, and where its readings do not have what the metric needs. Properties are
    those of `bench.evaluation.sample_properties`, as far as the data set knows them.
    """
    counts = [(column, pa.int64()) for name in metrics for column in _columns(name)]
    return pa.schema(
        [*_FIELDS, *counts, *property_fields(columns)], {_METRICS: json.dumps([*metrics])}
    )


class Predictions:
    """The rows of one split, gathered batch by batch and counted under a protocol.

    Args:
        protocol: Whose metrics are counted.
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
        """Add one sample; `_FIELDS` says what its columns mean.

        Raises:
            BenchError: A sample is too long to be aligned; the message has its id.
        """
        located = confidence, path, aligned, scores, key_frames
        self._rows.append((identity, reference, hypothesis, *located))
        if len(self._rows) == _ROWS_PER_BATCH:
            self._pack()

    def table(self) -> pa.Table:
        """Return the rows as a table of `schema`.

        Raises:
            BenchError: See `add`.
        """
        self._pack()
        table = pa.Table.from_batches(self._batches, self._schema)
        if any(metric.whole_corpus for metric in self._metrics):
            table = self._count_whole_corpus(table)
        return table

    def _pack(self) -> None:
        """Count the rows and make columns of them: as tuples they take several times the memory."""
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
                    place = self._schema.get_field_index(name)
                    array = pa.array(column or [None] * len(reasons), pa.int64())
                    table = table.set_column(place, self._schema.field(place), array)
        return table


def recount_metrics(table: pa.Table, protocol: Protocol) -> pa.Table:
    """Return the columns `excluded` and those of the metrics, counted again from the others.

    Raises:
        BenchError: A sample is too long to be aligned; the message has its id.
    """
    again = Predictions(protocol)
    texts = ["id", "reference", "hypothesis"]
    located = ["confidence", "path", "aligned", "scores", "key_frames"]
    if not any(metric.whole_corpus for metric in metrics_of(protocol)):
        located = []
    for batch in table.select([*texts, *located]).to_batches(_ROWS_PER_BATCH):
        columns = [column.to_pylist() for column in batch.columns]
        for identity, reference, hypothesis, *values in zip(*columns, strict=True):
            again.add(identity, reference, hypothesis, **dict(zip(located, values, strict=True)))
    metrics = [column for name in protocol.metrics for column in _columns(name)]
    return again.table().select(["excluded", *metrics])


def corpus_scores(table: pa.Table, protocol: Protocol) -> dict[str, float]:
    """Return the value of each metric of the protocol that has one.

    Raises:
        BenchError: No sample is scored.
    """
    scored = table["excluded"].null_count
    if not scored:
        raise BenchError(
            f"no sample with a reference is left to score under protocol '{protocol.name}'; "
            "see why samples are excluded, and choose another protocol or data"
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
    """Return how often the protocol drops each character of the references, by character, sorted.

    References of excluded samples count too.
    """
    dropped = Counter[str]()
    for chunk in table["reference"].chunks:
        for reference in chunk.to_pylist():
            dropped.update(protocol.dropped(reference))
    return dict(sorted(dropped.items()))


def label_localization(table: pa.Table, protocol: Protocol) -> Localization | None:
    """Return where the labels of the scored samples are read.

    None if no sample has a key frame, or labels read have no run on their path.
    """
    from bench.evaluation.metrics.localization import measure_localization

    columns = _frames(table, protocol)
    try:
        return measure_localization(columns) if columns else None
    except ValueError:
        return None


def blank_ratio(table: pa.Table) -> float | None:
    """Return the share of blank frames on the paths of the scored samples; None without paths."""
    from pyarrow import compute

    from bench.evaluation.metrics.localization import BLANK

    frames = table.filter(compute.is_null(table["excluded"]))["path"].combine_chunks().flatten()
    return compute.mean(compute.equal(frames, BLANK)).as_py() if len(frames) else None


def error_metric(protocol: Protocol) -> Metric:
    """Return the metric that orders single samples by their errors.

    It is the first of the protocol that counts errors (edits of CER or WER), else the ranking one.
    """
    counting = (metric for metric in metrics_of(protocol) if not metric.higher_is_better)
    return next(counting, find_metric(protocol.ranked_by))


def worst_samples(table: pa.Table, protocol: Protocol, count: int) -> list[WorstSample]:
    """Return the scored samples with the most errors, those with the most first.

    Errors are the numerators of `error_metric`, or what they lack where higher is better. Of equals
    the first of the table come first.
    """
    metric = error_metric(protocol)
    columns = ("id", "reference", "hypothesis", *_columns(metric.name))
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    wrong: list[tuple[int, int, tuple[str, str, str]]] = []
    for place, (identity, reference, hypothesis, above, below) in enumerate(rows):
        errors = 0 if above is None else below - above if metric.higher_is_better else above
        if errors > 0:
            wrong.append((-errors, place, (identity, reference, hypothesis)))
    return [WorstSample(*texts, -errors) for errors, _, texts in heapq.nsmallest(count, wrong)]


def predictions_to_bytes(table: pa.Table) -> bytes:
    """Return the Parquet file of `table`; the same rows give the same bytes."""
    stream = io.BytesIO()
    # One batch: the same rows may have been packed in chunks of other sizes.
    parquet.write_table(table.combine_chunks(), stream, compression="zstd")
    return stream.getvalue()


def read_predictions(file: Path, remedy: str = "evaluate again with --force") -> pa.Table:
    """Read a file that `to_bytes` made.

    Args:
        file: The Parquet file.
        remedy: What the message of an error tells to do.

    Raises:
        BenchError: (unverified) The file is missing or damaged, or its columns are not those of
            its metrics.
    """
    if not is_there(file):
        raise BenchError(f"{file}: the predictions are missing; {remedy}", Exit.UNVERIFIED)
    try:
        content = read_regular(file)
    except OSError as error:
        raise _unreadable(file, error.strerror, remedy) from None
    return predictions_from_bytes(content, file, remedy)


def predictions_from_bytes(
    content: bytes, file: Path, remedy: str = "evaluate again with --force"
) -> pa.Table:
    """Read what `to_bytes` returned, as it is in `file`; raises as `read` does."""
    try:
        return parse_predictions(content)
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise _unreadable(file, str(error), remedy) from None


def _unreadable(file: Path, reason: str | None, remedy: str) -> BenchError:
    fault = f"{file}: the predictions cannot be read ({first_line(reason or '')}); {remedy}"
    return BenchError(fault, Exit.UNVERIFIED)


def parse_predictions(content: bytes) -> pa.Table:
    """Read what `to_bytes` returned.

    Raises:
        ValueError: It is not a table of predictions, or its values cannot be. (Arrow's own errors
            of damaged files, and OSError, are raised too.)
    """
    # Without threads: while Arrow starts some, a process that ends is aborted (arrow issue 34314).
    file = parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    described = file.metadata
    size = sum(described.row_group(n).total_byte_size for n in range(described.num_row_groups))
    if described.num_rows > MAX_ROWS or size > MAX_TABLE:
        raise ValueError(
            f"it has {described.num_rows:,} rows and {size:,} bytes, more than {MAX_ROWS:,} and "
            f"{MAX_TABLE:,}"
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
        raise ValueError("its metadata does not list metrics")
    expected = predictions_schema(metrics, table.column_names)
    if not table.schema.equals(expected):
        raise ValueError(f"its columns are not {', '.join(expected.names)}")
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
    # Sums of integers below 2^53, which float64 holds exactly; nulls become NaN. Arrow's own sum
    # is in a module that takes long to import, in each fresh worker.
    return sum(int(np.nansum(chunk.to_numpy(zero_copy_only=False))) for chunk in column.chunks)


def _count(
    metric: Metric, readings: Readings, reasons: Sequence[str | None]
) -> list[list[Any] | None]:
    """Return the two columns of a metric with a value per row, or None for columns of nulls."""
    counts = metric.counts(readings) if len(readings) else None
    if counts is None:
        return [None, None]
    columns: list[list[Any] | None] = []
    for values in counts:
        scored = iter(values.tolist())
        columns.append([next(scored) if reason is None else None for reason in reasons])
    return columns


def _frames(table: pa.Table, protocol: Protocol) -> Columns | None:
    """Return where labels are read in the scored rows, or None if no row has a key frame."""
    if not any(len(chunk.flatten()) for chunk in table["key_frames"].chunks):
        return None
    names = ("path", "aligned", "key_frames", "scores")
    path, aligned, key_frames, labels = (
        [values or [] for values in table[name].to_pylist()] for name in names
    )
    confidence = table["confidence"].to_pylist()
    # Rows without a score per label are ranked by their confidence.
    ranked = [
        row or [math.nan if shared is None else shared] * len(frames)
        for row, shared, frames in zip(labels, confidence, aligned, strict=True)
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
