"""What the values of a table of predictions can be, whoever has written it."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.evaluation.metrics import find_metric

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_MAX_COUNT = 2**40
"""Edits or units of a sample; sums of as many as there can be are exact."""


def check_rows(table: pa.Table) -> None:
    """Raise ValueError where a sample lacks its id or a text, or a label a frame."""
    for name in ("id", "reference", "hypothesis"):
        if table[name].null_count:
            raise ValueError(f"a sample has no {name}")
    ids = table["id"].to_pylist()
    if len({*ids}) < len(ids):
        [(repeated, _)] = Counter(ids).most_common(1)
        raise ValueError(f"it has sample {quoted(repeated)} more than once")
    lists = {name: table[name].combine_chunks() for name in ("path", "aligned", "key_frames")}
    values = {name: each.flatten() for name, each in lists.items()}
    for name, each in values.items():
        if each.null_count or (len(each) and each.to_numpy().min() < 0):
            raise ValueError(f"{name} has a value that is no class or frame")
    frames, labels = (np.diff(lists[name].offsets.to_numpy()) for name in ("path", "aligned"))
    if (values["aligned"].to_numpy() >= np.repeat(frames, labels)).any():
        raise ValueError("a label is aligned with a frame that its sample does not have")


def check_counts(
    table: pa.Table, metric: str, denominators: str, scored: NDArray[np.bool_]
) -> None:
    """Raise ValueError where the counts of a metric cannot be.

    Args:
        table: The table.
        metric: The name of the metric, and of the column of its numerators.
        denominators: The column of its denominators.
        scored: Whether each sample is scored, and not excluded.
    """
    # Nulls become NaN; what is not exact as a float is too large in any case.
    above, below = (
        table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(float)
        for name in (metric, denominators)
    )
    counted = ~np.isnan(below)
    if (counted != ~np.isnan(above)).any() or (counted & ~scored).any():
        raise ValueError(f"{metric} lacks a count, or counts a sample that is excluded")
    above, below = above[counted], below[counted]
    signed, bound = True, math.inf
    with suppress(BenchError):  # the metric of a plug-in that is not here
        signed, bound = find_metric(metric).whole_corpus, find_metric(metric).max_value
    largest = np.minimum(_MAX_COUNT, below * bound) if math.isfinite(bound) else _MAX_COUNT
    odd = (below < 0) | (below > _MAX_COUNT) | (abs(above) > _MAX_COUNT)
    if odd.any() or (not signed and ((above < 0) | (above > largest)).any()):
        raise ValueError(f"{metric} has counts that no sample can have")
