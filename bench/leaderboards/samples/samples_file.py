"""The file `samples-<column>.parquet` with the counts of a test set, in the folder of a board.

One column per evaluation, named by its key, has the numerators of all metrics of a sample as one
text, such as `0 5`: few of them differ, so Parquet keeps their numbers in a list of distinct texts,
and four metrics take little more space than one. Where most samples have all that their reference
has, a text has what the numerator lacks of the denominator, which is mostly 0.
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
from bench.leaderboards.samples.column_counts import OF, ColumnCounts, Counts, smallest

if TYPE_CHECKING:
    import pyarrow as pa

PATTERN = "samples-*.parquet"
_SAMPLE = "sample"
_PROPERTY = "property/"
_UNDEFINED = "-"
"""Stands for the numerator of a metric that is not defined for an evaluation."""
_METADATA = b"bench.samples"
_MAX_COUNT = 2**53
_MAX_GROUP = 100
"""Characters of the name of a group of samples."""
_MAX_ROWS, _MAX_CELLS, _MAX_BYTES = 10**7, 10**8, 2**31
"""Samples of a file that is read, its rows × columns, and the bytes that it says to have."""
_LEVEL = 9


def file_name(column: str) -> str:
    """Return the name of the file that has the counts of a column."""
    return f"samples-{quote(column, safe='(),=+ ')}.parquet"


def to_bytes(counts: ColumnCounts) -> bytes:
    """Return the Parquet file of `counts`."""
    import pyarrow as pa
    from pyarrow import parquet

    metrics = sorted(counts.denominators)
    lacking = [metric for metric in metrics if _is_mostly_whole(counts, metric)]
    columns: dict[str, pa.Array] = (
        {_SAMPLE: pa.array(counts.ids, pa.string())} if counts.ids else {}
    )
    for name, values in sorted(counts.properties.items()):
        columns[_PROPERTY + name] = pa.array(values.tolist(), pa.string()).dictionary_encode()
    columns |= {f"{metric}/{OF}": pa.array(counts.denominators[metric]) for metric in metrics}
    columns |= {key: _outcomes(counts, metrics, lacking, key) for key in counts.keys}
    described = json.dumps({"metrics": metrics, "lacking": lacking, "names": counts.names})
    table = pa.table(columns).replace_schema_metadata({_METADATA: described})
    stream = io.BytesIO()
    parquet.write_table(
        table,
        stream,
        compression="zstd",
        compression_level=_LEVEL,
        row_group_size=max(1, counts.samples),
        write_statistics=False,
    )
    return stream.getvalue()


def read(folder: Path, columns: Iterable[str]) -> dict[str, ColumnCounts]:
    """Read the counts in the folder of a board, of those columns that have a file.

    Raises:
        BenchError: A file is not one that `to_bytes` made (unverified).
    """
    import pyarrow as pa

    counts = {}
    for column in columns:
        file = folder / file_name(column)
        if not is_there(file):
            continue
        try:
            counts[column] = of_bytes(read_regular(file))
        except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise BenchError(
                f"{file}: this is not the file of a board's samples ({first_line(str(reason))}); "
                "restore it, for instance with `git restore`",
                Exit.UNVERIFIED,
            ) from None
    return counts


def files(counts: Mapping[str, ColumnCounts]) -> dict[str, bytes]:
    """Return the file of each column that has counts, by its name."""
    return {file_name(column): to_bytes(each) for column, each in counts.items()}


def of_bytes(content: bytes) -> ColumnCounts:
    """Read what `to_bytes` returned.

    Raises:
        ValueError: It is something else. (Arrow's own errors of damaged files are raised too.)
    """
    table = _table(content)
    metrics, lacking, names = _described(table.schema.metadata)
    ids = table[_SAMPLE].to_pylist() if _SAMPLE in table.column_names else []
    _check_names(ids, names)
    counts = ColumnCounts(ids, names=names)
    for metric in metrics:
        counts.denominators[metric] = _denominators(table, f"{metric}/{OF}")
        counts.numerators[metric] = {}
    for name in table.column_names:
        if name == _SAMPLE or name.removesuffix(f"/{OF}") in metrics:
            continue
        places, texts = _dictionary(table, name)
        if name.startswith(_PROPERTY):
            if any(in_one_line(text, _MAX_GROUP) != text for text in texts):
                raise ValueError(f"column {quoted(name)} has a group that is no short text")
            counts.properties[name.removeprefix(_PROPERTY)] = np.array(texts, dtype=str)[places]
            continue
        for metric, values in zip(metrics, _numerators(name, texts, len(metrics)), strict=True):
            if values is not None:
                above = values[places]
                if metric in lacking:
                    above = smallest(counts.denominators[metric] - above.astype(np.int64))
                counts.numerators[metric][name] = above
    if not all(counts.numerators.values()):
        raise ValueError("a metric lacks all numerators")
    return counts


def _check_names(ids: list[object], names: str) -> None:
    if len({*ids}) < len(ids) or any(not isinstance(each, str) for each in ids):
        raise ValueError("a sample is listed twice, or is no text")
    if not ids and not names:
        raise ValueError("it names no samples")


def _is_mostly_whole(counts: ColumnCounts, metric: str) -> bool:
    """Return whether numerators are equal to the denominator more often than 0."""
    below = counts.denominators[metric]
    columns = counts.numerators[metric].values()
    return sum(int((each == below).sum()) - int((each == 0).sum()) for each in columns) > 0


def _outcomes(
    counts: ColumnCounts, metrics: list[str], lacking: list[str], key: str
) -> pa.DictionaryArray:
    """Return the numerators of one evaluation as a text per sample, each distinct one once.

    Of the metrics `lacking`, the text has what a numerator lacks of the denominator.
    """
    import pyarrow as pa

    columns = []
    for metric in metrics:
        above = counts.numerators[metric].get(key)
        if above is not None and metric in lacking:
            above = counts.denominators[metric].astype(np.int64) - above
        columns.append(above)
    places = np.zeros(counts.samples, dtype=np.int64)
    for values in columns:
        if values is not None:
            distinct, codes = np.unique(values, return_inverse=True)
            places = np.unique(places * len(distinct) + codes, return_inverse=True)[1]
    _, firsts = np.unique(places, return_index=True)
    texts = [
        " ".join(_UNDEFINED if each is None else str(int(each[first])) for each in columns)
        for first in firsts
    ]
    return pa.DictionaryArray.from_arrays(places.astype(np.int32), pa.array(texts, pa.string()))


def _table(content: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    # Without threads, as predictions are read.
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
        raise ValueError("it lacks a value")
    return table


def _described(metadata: Mapping[bytes, bytes] | None) -> tuple[list[str], list[str], str]:
    """Return the metrics, those whose texts have what is lacking, and the hash of the ids."""
    try:
        described: Any = json.loads((metadata or {}).get(_METADATA, b"null"))
    except RecursionError:
        described = None
    described = described if isinstance(described, dict) else {}
    metrics, lacking = described.get("metrics"), described.get("lacking")
    names = described.get("names")
    if not (
        isinstance(metrics, list)
        and all(isinstance(name, str) for name in metrics)
        and metrics == sorted({*metrics})
        and isinstance(lacking, list)
        and all(name in metrics for name in lacking)
        and isinstance(names, str)
    ):
        raise ValueError("its metadata does not list metrics")
    return metrics, lacking, names


def _denominators(table: pa.Table, name: str) -> Counts:
    import pyarrow as pa

    if name not in table.column_names or not pa.types.is_signed_integer(
        table.schema.field(name).type
    ):
        raise ValueError(f"it has no integers in a column {quoted(name)}")
    values = table[name].to_numpy()
    if len(values) and not 0 <= values.min() <= values.max() <= _MAX_COUNT:
        raise ValueError(f"column {quoted(name)} has counts that no sample can have")
    return smallest(values)


def _dictionary(table: pa.Table, name: str) -> tuple[NDArray[np.integer[Any]], list[str]]:
    """Return the place of each sample's text in the list of distinct texts, and these."""
    import pyarrow as pa

    kind = table.schema.field(name).type
    if not pa.types.is_dictionary(kind) or not pa.types.is_string(kind.value_type):
        raise ValueError(f"column {quoted(name)} is not one of a board")
    column = table[name].unify_dictionaries().combine_chunks()
    texts = column.dictionary.to_pylist()
    if any(text is None for text in texts):
        raise ValueError("it lacks a value")
    return column.indices.to_numpy(), texts


def _numerators(name: str, texts: list[str], metrics: int) -> list[Counts | None]:
    """Return the numerators by metric in each distinct text; None where they are undefined."""
    rows = [text.split(" ") for text in texts]
    if any(len(row) != metrics for row in rows):
        raise ValueError(f"column {quoted(name)} has not a count of each metric")
    columns: list[Counts | None] = []
    for cells in zip(*rows, strict=True):
        if {*cells} == {_UNDEFINED}:
            columns.append(None)
            continue
        values = [int(cell) for cell in cells]
        if any(abs(value) > _MAX_COUNT for value in values):
            raise ValueError(f"column {quoted(name)} has counts that no sample can have")
        columns.append(smallest(values))
    return columns
