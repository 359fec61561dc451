"""Counts of each evaluation of a board on each sample, from which all scores are computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.core.errors import BenchError, Exit
from bench.leaderboards.samples.properties import properties_of
from bench.trials.store import predictions_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.trials.records import EvaluationRecord

DENOMINATOR = "of"
"""Suffix of columns of denominators: `<metric>/of`."""
MAX_LISTED_IDS = 50_000
"""Ids are kept up to this many scored samples per test set; of more, they take the most space."""

Counts = NDArray[np.signedinteger[Any]]


@dataclass(eq=False)
class ColumnCounts:
    """Numerators and denominators of metrics on the N scored samples of a test set.

    Attributes:
        ids: Ids of the samples, (N,); empty for more than `MAX_LISTED_IDS` samples, which are in
            ascending order of ids.
        denominators: Denominators by metric, (N,); they depend on the references alone.
        numerators: Numerators by metric and key of the evaluation, (N,).
        ids_hash: Hash of the ids if these are left out, otherwise empty.
        properties: The group of each sample, (N,), by property such as `case`.
    """

    ids: list[str]
    denominators: dict[str, Counts] = field(default_factory=dict)
    numerators: dict[str, dict[str, Counts]] = field(default_factory=dict)
    ids_hash: str = ""
    properties: dict[str, NDArray[np.str_]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        ids: list[str],
        denominators: Mapping[str, ArrayLike],
        numerators: Mapping[str, Mapping[str, ArrayLike]],
        properties: Mapping[str, ArrayLike] | None = None,
    ) -> ColumnCounts:
        """Build counts with the smallest integer types that fit; without ids if there are many."""
        order = sorted(range(len(ids)), key=ids.__getitem__) if len(ids) > MAX_LISTED_IDS else None

        def ordered(values: ArrayLike) -> NDArray[Any]:
            return np.asarray(values) if order is None else np.asarray(values)[order]

        return cls(
            ids if order is None else [],
            {metric: smallest_integers(ordered(values)) for metric, values in denominators.items()},
            {
                metric: {key: smallest_integers(ordered(values)) for key, values in columns.items()}
                for metric, columns in numerators.items()
            },
            "" if order is None else _hash_ids([ids[index] for index in order]),
            {name: ordered(values).astype(str) for name, values in (properties or {}).items()},
        )

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.ids) or len(next(iter(self.denominators.values()), ()))

    @property
    def keys(self) -> list[str]:
        """The keys of all evaluations, sorted."""
        return sorted({key for columns in self.numerators.values() for key in columns})

    def value(self, metric: str, key: str) -> float | None:
        """Return the score of an evaluation, or None if the metric is not defined for it."""
        above = self.numerators.get(metric, {}).get(key)
        if above is None:
            return None
        below = int(self.denominators[metric].sum(dtype=np.int64))
        return int(above.sum(dtype=np.int64)) / below if below else None

    def has(self, key: str) -> bool:
        """Return whether there are counts of an evaluation."""
        return any(key in columns for columns in self.numerators.values())

    def add(self, other: ColumnCounts) -> None:
        """Add the counts of other evaluations on the same samples.

        Raises:
            ValueError: The samples, denominators or properties differ.
        """
        if (self.ids, self.ids_hash) != (other.ids, other.ids_hash):
            raise ValueError("the samples differ")
        for metric, below in other.denominators.items():
            if not np.array_equal(self.denominators.get(metric, below), below):
                raise ValueError(f"the denominators of {metric} differ")
        for name, groups in other.properties.items():
            if not np.array_equal(self.properties.get(name, groups), groups):
                raise ValueError(f"the properties of samples ({name}) differ")
        self.denominators |= other.denominators
        for metric, columns in other.numerators.items():
            self.numerators.setdefault(metric, {}).update(columns)
        self.properties = other.properties | self.properties

    def only_evaluations(self, keys: Iterable[str]) -> ColumnCounts:
        """Return the counts of these evaluations alone."""
        chosen = {*keys}
        numerators = {
            metric: {key: counts for key, counts in columns.items() if key in chosen}
            for metric, columns in self.numerators.items()
        }
        return ColumnCounts(
            self.ids,
            {metric: self.denominators[metric] for metric, kept in numerators.items() if kept},
            {metric: kept for metric, kept in numerators.items() if kept},
            self.ids_hash,
            self.properties,
        )

    def only_metrics(self, metrics: Iterable[str]) -> ColumnCounts:
        """Return the counts by these metrics alone; metrics without counts are left out."""
        kept = [metric for metric in metrics if metric in self.numerators]
        return ColumnCounts(
            self.ids,
            {metric: self.denominators[metric] for metric in kept},
            {metric: self.numerators[metric] for metric in kept},
            self.ids_hash,
            self.properties,
        )

    def subset(self, metric: str, mask: NDArray[np.bool_]) -> ColumnCounts:
        """Return the counts by one metric on the samples where the mask (N,) is true."""
        if metric not in self.denominators:
            return ColumnCounts([])
        above = {key: each[mask] for key, each in self.numerators[metric].items()}
        return ColumnCounts([], {metric: self.denominators[metric][mask]}, {metric: above})

    def same_as(self, other: ColumnCounts) -> bool:
        """Return whether both have the same counts of the same evaluations and samples.

        Properties that only one of them has are ignored.
        """
        if (self.ids, self.ids_hash) != (other.ids, other.ids_hash):
            return False
        common = self.properties.keys() & other.properties.keys()
        if not all(
            np.array_equal(self.properties[name], other.properties[name]) for name in common
        ):
            return False
        return _equal(self.denominators, other.denominators) and (
            self.numerators.keys() == other.numerators.keys()
            and all(_equal(each, other.numerators[m]) for m, each in self.numerators.items())
        )


def _equal(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(each, b[name]) for name, each in a.items())


def smallest_integers(values: ArrayLike) -> Counts:
    """Return integers in the smallest signed type that can hold all of them."""
    array = np.asarray(values, dtype=np.int64)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    kinds = (np.int8, np.int16, np.int32, np.int64)
    fitting = (k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
    return array.astype(next(fitting))


def counts_of_record(record: EvaluationRecord, folder: Path) -> ColumnCounts:
    """Return the counts of one evaluation.

    Raises:
        BenchError: Its predictions are missing, altered, or damaged (unverified).
    """
    return counts_of_predictions(predictions_of(folder, record), record, folder)


def counts_of_predictions(table: pa.Table, record: EvaluationRecord, folder: Path) -> ColumnCounts:
    """Return the counts of one evaluation from its predictions, which are in `folder`.

    Raises:
        BenchError: Their number of samples is not that of the record (unverified).
    """
    scored = table["excluded"].null_count
    if scored != record.samples:
        raise BenchError(
            f"{folder}: its predictions have {scored:,} scored samples, but its record has "
            f"{record.samples:,}; evaluate again with --force",
            Exit.UNVERIFIED,
        )
    return counts_of_table(table, record.key)


def counts_of_table(table: pa.Table, key: str) -> ColumnCounts:
    """Return the counts of a table of predictions, as those of the evaluation with a key."""
    excluded = table["excluded"].to_pylist()
    table = table.take([row for row, reason in enumerate(excluded) if reason is None])
    denominators: dict[str, ArrayLike] = {}
    numerators: dict[str, dict[str, ArrayLike]] = {}
    for name in table.column_names:
        metric, slash, suffix = name.rpartition("/")
        if slash and suffix == DENOMINATOR and not table[name].null_count:
            denominators[metric] = table[name].to_numpy()
            numerators[metric] = {key: table[metric].to_numpy()}
    return ColumnCounts.build(
        table["id"].to_pylist(), denominators, numerators, properties_of(table)
    )


def _hash_ids(ids: Iterable[str]) -> str:
    content = sha256()
    for identity in ids:
        content.update(identity.encode() + b"\n")
    return content.hexdigest()
