"""Checks of the values of a table of predictions, which may come from others."""

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
"""The most edits or units of a sample; sums over the largest table are then exact in float64."""


def check_rows(table: pa.Table) -> None:
    """Check ids, texts and frames of a table of predictions.

    Raises:
        ValueError: A sample has no id or text, an id occurs twice, or a value is not a class or
            frame of its sample.
    """
    for name in ("id", "reference", "hypothesis"):
        if table[name].null_count:
            raise ValueError(f"a sample has no {name}")
    ids = table["id"].to_pylist()
    if len({*ids}) < len(ids):
        [(repeated, _)] = Counter(ids).most_common(1)
        raise ValueError(f"sample {quoted(repeated)} occurs more than once")
    lists = {name: table[name].combine_chunks() for name in ("path", "aligned", "key_frames")}
    values = {name: each.flatten() for name, each in lists.items()}
    for name, each in values.items():
        if each.null_count or (len(each) and each.to_numpy().min() < 0):
            raise ValueError(f"column {name} has a value that is not a class or frame")
    frames, labels = (np.diff(lists[name].offsets.to_numpy()) for name in ("path", "aligned"))
    if (values["aligned"].to_numpy() >= np.repeat(frames, labels)).any():
        raise ValueError("a label is aligned with a frame that its sample does not have")


def check_counts(
    table: pa.Table, metric: str, denominators: str, scored: NDArray[np.bool_]
) -> None:
    """Check the counts of a metric in a table of predictions.

    Args:
        table: A table of predictions with N samples.
        metric: The name of the metric and of the column of its numerators.
        denominators: The name of the column of its denominators.
        scored: Whether each sample is scored (N,); the others are excluded.

    Raises:
        ValueError: A scored sample lacks a count, an excluded one has a count, or a count is
            outside the range of the metric.
    """
    # Nulls become NaN. Integers that float64 rounds are above `_MAX_COUNT` in any case.
    above, below = (
        table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(float)
        for name in (metric, denominators)
    )
    counted = ~np.isnan(below)
    if (counted != ~np.isnan(above)).any() or (counted & ~scored).any():
        raise ValueError(f"metric {metric} lacks a count, or has one of an excluded sample")
    above, below = above[counted], below[counted]
    signed, max_value = True, math.inf
    with suppress(BenchError):  # a metric of a plug-in that is not installed here
        signed, max_value = find_metric(metric).whole_corpus, find_metric(metric).max_value
    largest = np.minimum(_MAX_COUNT, below * max_value) if math.isfinite(max_value) else _MAX_COUNT
    too_large = (below < 0) | (below > _MAX_COUNT) | (abs(above) > _MAX_COUNT)
    if too_large.any() or (not signed and ((above < 0) | (above > largest)).any()):
        raise ValueError(f"metric {metric} has counts outside its range")
