"""What each evaluation of a board counts on each sample: all its scores follow from that."""

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

OF = "of"
"""The column `<metric>/of` has the denominators of a metric."""
MAX_NAMED = 50_000
"""Scored samples of a test set up to which ids are kept: those of more take the most space."""

Counts = NDArray[np.signedinteger[Any]]


@dataclass(eq=False)
class ColumnCounts:
    """What evaluations count on the N scored samples of a test set.

    Attributes:
        ids: The samples, (N,); empty of more than `MAX_NAMED`, which are in ascending order of ids.
        denominators: Of each metric, (N,); they depend on the references alone.
        numerators: Of each metric and evaluation, by its key, (N,).
        names: A hash of the ids that are left out.
        properties: The group of each sample by a property such as `case`, (N,).
    """

    ids: list[str]
    denominators: dict[str, Counts] = field(default_factory=dict)
    numerators: dict[str, dict[str, Counts]] = field(default_factory=dict)
    names: str = ""
    properties: dict[str, NDArray[np.str_]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ids: list[str],
        denominators: Mapping[str, ArrayLike],
        numerators: Mapping[str, Mapping[str, ArrayLike]],
        properties: Mapping[str, ArrayLike] | None = None,
    ) -> ColumnCounts:
        """Return counts with integers as small as fits; without ids where there are many."""
        order = sorted(range(len(ids)), key=ids.__getitem__) if len(ids) > MAX_NAMED else None

        def ordered(values: ArrayLike) -> NDArray[Any]:
            return np.asarray(values) if order is None else np.asarray(values)[order]

        return cls(
            ids if order is None else [],
            {metric: smallest(ordered(values)) for metric, values in denominators.items()},
            {
                metric: {key: smallest(ordered(values)) for key, values in columns.items()}
                for metric, columns in numerators.items()
            },
            "" if order is None else _hash([ids[place] for place in order]),
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
        """Return the score of an evaluation, or None where the metric is not defined for it."""
        above = self.numerators.get(metric, {}).get(key)
        if above is None:
            return None
        below = int(self.denominators[metric].sum(dtype=np.int64))
        return int(above.sum(dtype=np.int64)) / below if below else None

    def has(self, key: str) -> bool:
        """Return whether an evaluation counted anything here."""
        return any(key in columns for columns in self.numerators.values())

    def add(self, other: ColumnCounts) -> None:
        """Add what other evaluations count on the same samples.

        Raises:
            ValueError: They are not of the same samples, or of other references.
        """
        if (self.ids, self.names) != (other.ids, other.names):
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

    def only(self, keys: Iterable[str]) -> ColumnCounts:
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
            self.names,
            self.properties,
        )

    def only_metrics(self, metrics: Iterable[str]) -> ColumnCounts:
        """Return the counts by these metrics alone, as far as they are counted."""
        kept = [metric for metric in metrics if metric in self.numerators]
        return ColumnCounts(
            self.ids,
            {metric: self.denominators[metric] for metric in kept},
            {metric: self.numerators[metric] for metric in kept},
            self.names,
            self.properties,
        )

    def part(self, metric: str, where: NDArray[np.bool_]) -> ColumnCounts:
        """Return what one metric counts on the samples `where`, (N,); without their ids."""
        if metric not in self.denominators:
            return ColumnCounts([])
        above = {key: each[where] for key, each in self.numerators[metric].items()}
        return ColumnCounts([], {metric: self.denominators[metric][where]}, {metric: above})

    def same_as(self, other: ColumnCounts) -> bool:
        """Return whether the same evaluations count the same on the same samples.

        Properties that only one of them knows do not count.
        """
        if (self.ids, self.names) != (other.ids, other.names):
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


def smallest(values: ArrayLike) -> Counts:
    """Return integers in the smallest signed type that has them all."""
    array = np.asarray(values, dtype=np.int64)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    kinds = (np.int8, np.int16, np.int32, np.int64)
    fitting = (k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
    return array.astype(next(fitting))


def of_record(record: EvaluationRecord, folder: Path) -> ColumnCounts:
    """Return the counts of one evaluation.

    Raises:
        BenchError: Its predictions are gone, altered, or not a table of predictions (unverified).
    """
    return of_predictions(predictions_of(folder, record), record, folder)


def of_predictions(table: pa.Table, record: EvaluationRecord, folder: Path) -> ColumnCounts:
    """Return the counts of one evaluation from its predictions, which are in `folder`.

    Raises:
        BenchError: They are not those of as many samples as its record says (unverified).
    """
    scored = table["excluded"].null_count
    if scored != record.samples:
        raise BenchError(
            f"{folder}: its predictions have {scored:,} scored samples, its record says "
            f"{record.samples:,}; evaluate again with --force",
            Exit.UNVERIFIED,
        )
    return of_table(table, record.key)


def of_table(table: pa.Table, key: str) -> ColumnCounts:
    """Return the counts of a table of predictions, as those of an evaluation of this key."""
    excluded = table["excluded"].to_pylist()
    table = table.take([place for place, reason in enumerate(excluded) if reason is None])
    denominators: dict[str, ArrayLike] = {}
    numerators: dict[str, dict[str, ArrayLike]] = {}
    for name in table.column_names:
        metric, slash, of = name.rpartition("/")
        if slash and of == OF and not table[name].null_count:
            denominators[metric] = table[name].to_numpy()
            numerators[metric] = {key: table[metric].to_numpy()}
    return ColumnCounts.of(table["id"].to_pylist(), denominators, numerators, properties_of(table))


def _hash(ids: Iterable[str]) -> str:
    content = sha256()
    for each in ids:
        content.update(each.encode() + b"\n")
    return content.hexdigest()
