"""The file `samples-<column>.parquet` in the folder of a board: the counts of a test set.

There is one column per evaluation, named by its key. Its values are texts with the numerators of
all metrics, such as `0 5`: few of them are distinct, so Parquet's dictionary encoding stores four
metrics in little more space than one. If most samples are read without errors, texts have the
denominator minus the numerator of a metric (its complement), which is mostly 0.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import BenchError, Exit
from bench.core.printable import first_line, in_one_line, quoted
from bench.core.regular_files import is_there, read_regular
from bench.leaderboards.samples.column_counts import (
    DENOMINATOR,
    ColumnCounts,
    Counts,
    smallest_integers,
)

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES_PATTERN = "samples-*.parquet"
_SAMPLE = "sample"
_PROPERTY = "property/"
_UNDEFINED = "-"
"""Written as the numerator of a metric that is not defined for an evaluation."""
_METADATA = b"bench.samples"
_MAX_COUNT = 2**53
_MAX_GROUP_NAME = 100
"""Characters of the name of a group of samples."""
_MAX_ROWS, _MAX_CELLS, _MAX_BYTES = 10**7, 10**8, 2**31
"""Bounds of a file that is read: samples, samples × columns, and declared uncompressed bytes."""
_COMPRESSION_LEVEL = 9


def samples_file_name(column: str) -> str:
    """Return the name of the file with the counts of a column."""
    return f"samples-{quote(column, safe='(),=+ ')}.parquet"


def counts_to_bytes(counts: ColumnCounts) -> bytes:
    """Return the Parquet file of `counts`."""
    import pyarrow as pa
    from pyarrow import parquet

    metrics = sorted(counts.denominators)
    complemented = [metric for metric in metrics if _is_mostly_whole(counts, metric)]
    columns: dict[str, pa.Array] = (
        {_SAMPLE: pa.array(counts.ids, pa.string())} if counts.ids else {}
    )
    for name, values in sorted(counts.properties.items()):
        columns[_PROPERTY + name] = pa.array(values.tolist(), pa.string()).dictionary_encode()
    columns |= {
        f"{metric}/{DENOMINATOR}": pa.array(counts.denominators[metric]) for metric in metrics
    }
    columns |= {key: _encoded_numerators(counts, metrics, complemented, key) for key in counts.keys}
    described = json.dumps({"metrics": metrics, "lacking": complemented, "names": counts.ids_hash})
    table = pa.table(columns).replace_schema_metadata({_METADATA: described})
    stream = io.BytesIO()
    parquet.write_table(
        table,
        stream,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        row_group_size=max(1, counts.samples),
        write_statistics=False,
    )
    return stream.getvalue()


def read_counts(folder: Path, columns: Iterable[str]) -> dict[str, ColumnCounts]:
    """Read the counts in the folder of a board; columns without a file are left out.

    Raises:
        BenchError: A file was not written by bench (unverified).
    """
    import pyarrow as pa

    counts = {}
    for column in columns:
        file = folder / samples_file_name(column)
        if not is_there(file):
            continue
        try:
            counts[column] = counts_from_bytes(read_regular(file))
        except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise BenchError(
                f"{file}: this is not a file of samples of a board ({first_line(str(reason))}); "
                "restore it, for instance with `git restore`",
                Exit.UNVERIFIED,
            ) from None
    return counts


def samples_files(counts: Mapping[str, ColumnCounts]) -> dict[str, bytes]:
    """Return the content of the file of each column, by file name."""
    return {samples_file_name(column): counts_to_bytes(each) for column, each in counts.items()}


def counts_from_bytes(content: bytes) -> ColumnCounts:
    """Read the content of a file that `counts_to_bytes` made.

    Raises:
        ValueError: The content is invalid. Damaged files may also raise errors of Arrow.
    """
    table = _read_table(content)
    metrics, complemented, ids_hash = _read_metadata(table.schema.metadata)
    ids = table[_SAMPLE].to_pylist() if _SAMPLE in table.column_names else []
    _check_ids(ids, ids_hash)
    counts = ColumnCounts(ids, ids_hash=ids_hash)
    for metric in metrics:
        counts.denominators[metric] = _denominators(table, f"{metric}/{DENOMINATOR}")
        counts.numerators[metric] = {}
    for name in table.column_names:
        if name == _SAMPLE or name.removesuffix(f"/{DENOMINATOR}") in metrics:
            continue
        codes, texts = _distinct_texts(table, name)
        if name.startswith(_PROPERTY):
            if any(in_one_line(text, _MAX_GROUP_NAME) != text for text in texts):
                raise ValueError(
                    f"column {quoted(name)} has a group with an unprintable or long name"
                )
            counts.properties[name.removeprefix(_PROPERTY)] = np.array(texts, dtype=str)[codes]
            continue
        for metric, values in zip(metrics, _numerators(name, texts, len(metrics)), strict=True):
            if values is not None:
                above = values[codes]
                if metric in complemented:
                    above = smallest_integers(counts.denominators[metric] - above.astype(np.int64))
                counts.numerators[metric][name] = above
    if not all(counts.numerators.values()):
        raise ValueError("a metric has no numerators")
    return counts


def _check_ids(ids: list[object], ids_hash: str) -> None:
    if len({*ids}) < len(ids) or any(not isinstance(each, str) for each in ids):
        raise ValueError("a sample is listed twice, or its id is not a text")
    if not ids and not ids_hash:
        raise ValueError("it has neither ids of samples nor their hash")


def _is_mostly_whole(counts: ColumnCounts, metric: str) -> bool:
    """Return whether numerators are equal to the denominator more often than to 0."""
    below = counts.denominators[metric]
    columns = counts.numerators[metric].values()
    return sum(int((each == below).sum()) - int((each == 0).sum()) for each in columns) > 0


def _encoded_numerators(
    counts: ColumnCounts, metrics: list[str], complemented: list[str], key: str
) -> pa.DictionaryArray:
    """Return the numerators of one evaluation as one text per sample, dictionary-encoded.

    For the metrics `complemented`, the text has the denominator minus the numerator.
    """
    import pyarrow as pa

    columns = []
    for metric in metrics:
        above = counts.numerators[metric].get(key)
        if above is not None and metric in complemented:
            above = counts.denominators[metric].astype(np.int64) - above
        columns.append(above)
    codes = np.zeros(counts.samples, dtype=np.int64)
    for values in columns:
        if values is not None:
            distinct, value_codes = np.unique(values, return_inverse=True)
            codes = np.unique(codes * len(distinct) + value_codes, return_inverse=True)[1]
    _, firsts = np.unique(codes, return_index=True)
    texts = [
        " ".join(_UNDEFINED if values is None else str(int(values[first])) for values in columns)
        for first in firsts
    ]
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), pa.array(texts, pa.string()))


def _read_table(content: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    # Without threads, as in reading predictions.
    file = parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    described = file.metadata
    size = sum(described.row_group(n).total_byte_size for n in range(described.num_row_groups))
    cells = described.num_rows * described.num_columns
    if described.num_rows > _MAX_ROWS or cells > _MAX_CELLS or size > _MAX_BYTES:
        raise ValueError(
            f"it has {described.num_rows:,} rows, {described.num_columns:,} columns and {size:,} "
            f"bytes, more than {_MAX_ROWS:,} rows, {_MAX_CELLS:,} cells or {_MAX_BYTES:,} bytes"
        )
    table = file.read(use_threads=False)
    if not len(table):
        raise ValueError("it has no sample")
    if len({*table.column_names}) < len(table.column_names):
        raise ValueError("it has a column twice")
    table.validate(full=True)
    if any(column.null_count for column in table.columns):
        raise ValueError("a value is missing")
    return table


def _read_metadata(metadata: Mapping[bytes, bytes] | None) -> tuple[list[str], list[str], str]:
    """Return the metrics, those whose numerators are complemented, and the hash of the ids."""
    try:
        described: Any = json.loads((metadata or {}).get(_METADATA, b"null"))
    except RecursionError:
        described = None
    described = described if isinstance(described, dict) else {}
    metrics, complemented = described.get("metrics"), described.get("lacking")
    ids_hash = described.get("names")
    if not (
        isinstance(metrics, list)
        and all(isinstance(name, str) for name in metrics)
        and metrics == sorted({*metrics})
        and isinstance(complemented, list)
        and all(name in metrics for name in complemented)
        and isinstance(ids_hash, str)
    ):
        raise ValueError("its metadata does not list metrics")
    return metrics, complemented, ids_hash


def _denominators(table: pa.Table, name: str) -> Counts:
    import pyarrow as pa

    if name not in table.column_names or not pa.types.is_signed_integer(
        table.schema.field(name).type
    ):
        raise ValueError(f"it has no integers in a column {quoted(name)}")
    values = table[name].to_numpy()
    if len(values) and not 0 <= values.min() <= values.max() <= _MAX_COUNT:
        raise ValueError(f"column {quoted(name)} has a negative or too large count")
    return smallest_integers(values)


def _distinct_texts(table: pa.Table, name: str) -> tuple[NDArray[np.integer[Any]], list[str]]:
    """Return the distinct texts of a column, and the index of each sample's text among them."""
    import pyarrow as pa

    kind = table.schema.field(name).type
    if not pa.types.is_dictionary(kind) or not pa.types.is_string(kind.value_type):
        raise ValueError(f"column {quoted(name)} is unexpected")
    column = table[name].unify_dictionaries().combine_chunks()
    texts = column.dictionary.to_pylist()
    if any(text is None for text in texts):
        raise ValueError("a value is missing")
    return column.indices.to_numpy(), texts


def _numerators(name: str, texts: list[str], metrics: int) -> list[Counts | None]:
    """Return the numerators by metric in each distinct text; None if they are undefined."""
    rows = [text.split(" ") for text in texts]
    if any(len(row) != metrics for row in rows):
        raise ValueError(f"column {quoted(name)} does not have one count per metric")
    columns: list[Counts | None] = []
    for cells in zip(*rows, strict=True):
        if {*cells} == {_UNDEFINED}:
            columns.append(None)
            continue
        values = [int(cell) for cell in cells]
        if any(abs(value) > _MAX_COUNT for value in values):
            raise ValueError(f"column {quoted(name)} has a too large count")
        columns.append(smallest_integers(values))
    return columns
