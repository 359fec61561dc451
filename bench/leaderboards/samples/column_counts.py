"""What each evaluation of a board counts on each sample: all its scores follow from that.

The counts of a test set are in the folder of the board, as `samples-<column>.csv`, so that scores,
intervals and ranks can be computed again where no record is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.core.errors import BenchError, Exit
from bench.core.printable import quoted
from bench.core.regular_files import is_there, read_regular
from bench.trials.store import predictions_of

if TYPE_CHECKING:
    from bench.trials.records import EvaluationRecord

OF = "of"
"""The column `<metric>/of` has the denominators of a metric, `<metric>/<key>` numerators."""
PATTERN = "samples-*.csv"
_SAMPLE = "sample"
_MAX_COUNT = 2**53


@dataclass
class ColumnCounts:
    """What evaluations count on the N scored samples of a test set.

    Attributes:
        ids: The samples, (N,).
        denominators: Of each metric, (N,); they depend on the references alone.
        numerators: Of each metric and evaluation, by its key, (N,).
    """

    ids: list[str]
    denominators: dict[str, list[int]] = field(default_factory=dict)
    numerators: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def value(self, metric: str, key: str) -> float | None:
        """Return the score of an evaluation, or None where the metric is not defined for it."""
        above = self.numerators.get(metric, {}).get(key)
        below = sum(self.denominators.get(metric, ()))
        return None if above is None or not below else sum(above) / below

    def has(self, key: str) -> bool:
        """Return whether an evaluation counted anything here."""
        return any(key in columns for columns in self.numerators.values())

    def add(self, other: ColumnCounts) -> None:
        """Add what other evaluations count on the same samples.

        Raises:
            ValueError: They are not of the same samples, or of other references.
        """
        if self.ids != other.ids:
            raise ValueError("the samples differ")
        for metric, below in other.denominators.items():
            if self.denominators.get(metric, below) != below:
                raise ValueError(f"the denominators of {metric} differ")
        self.denominators |= other.denominators
        for metric, columns in other.numerators.items():
            self.numerators.setdefault(metric, {}).update(columns)

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
        )


def of_record(record: EvaluationRecord, folder: Path) -> ColumnCounts:
    """Return the counts of one evaluation.

    Raises:
        BenchError: Its predictions are gone, altered, or not a table of predictions (unverified).
    """
    table = predictions_of(folder, record)
    excluded = table["excluded"].to_pylist()
    scored = [place for place, reason in enumerate(excluded) if reason is None]
    if len(scored) != record.samples:
        raise BenchError(
            f"{folder}: its predictions have {len(scored):,} scored samples, its record says "
            f"{record.samples:,}; evaluate again with --force",
            Exit.UNVERIFIED,
        )
    ids = table["id"].to_pylist()
    counts = ColumnCounts([ids[place] for place in scored])
    for name in table.column_names:
        metric, slash, of = name.rpartition("/")
        if slash and of == OF:
            below, above = table[name].to_pylist(), table[metric].to_pylist()
            if all(below[place] is not None for place in scored):
                counts.denominators[metric] = [below[place] for place in scored]
                counts.numerators[metric] = {record.key: [above[place] for place in scored]}
    return counts


def file_name(column: str) -> str:
    """Return the name of the file that has the counts of a column."""
    return f"samples-{quote(column, safe='(),=+ ')}.csv"


def to_csv(counts: ColumnCounts) -> bytes:
    """Write a line per sample: its id, the denominator of each metric, and all numerators."""
    denominators = sorted(counts.denominators.items())
    numerators = [
        (f"{metric}/{key}", values)
        for metric, _ in denominators
        for key, values in sorted(counts.numerators[metric].items())
    ]
    columns = [(f"{metric}/{OF}", values) for metric, values in denominators] + numerators
    stream = io.StringIO()
    # Quoted, an id may hold whatever a file name may.
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_SAMPLE, *(name for name, _ in columns)])
    writer.writerows(zip(counts.ids, *(values for _, values in columns), strict=True))
    return stream.getvalue().encode()


def from_csv(text: bytes) -> ColumnCounts:
    """Read what `to_csv` wrote. Raises ValueError or csv.Error where it did not."""
    header, *lines = csv.reader(io.StringIO(text.decode(), newline=""), strict=True)
    if header[:1] != [_SAMPLE] or any(len(line) != len(header) for line in lines):
        raise ValueError("the columns are not those of a board")
    ids, *columns = ([line[place] for line in lines] for place in range(len(header)))
    if len({*ids}) < len(ids):
        raise ValueError("a sample is listed twice")
    counts = ColumnCounts(ids)
    for name, values in zip(header[1:], columns, strict=True):
        metric, _, key = name.rpartition("/")
        numbers = [int(value) for value in values]
        smallest = 0 if key == OF else -_MAX_COUNT
        if any(not smallest <= number <= _MAX_COUNT for number in numbers):
            raise ValueError(f"column {quoted(name)} has counts that no sample can have")
        if key == OF:
            counts.denominators[metric] = numbers
        else:
            counts.numerators.setdefault(metric, {})[key] = numbers
    if counts.denominators.keys() != counts.numerators.keys():
        raise ValueError("a metric lacks its denominators or all numerators")
    return counts


def read(folder: Path, columns: Iterable[str]) -> dict[str, ColumnCounts]:
    """Read the counts in the folder of a board, of those columns that have a file.

    Raises:
        BenchError: A file is not one that `to_csv` wrote (unverified).
    """
    counts = {}
    for column in columns:
        file = folder / file_name(column)
        if not is_there(file):
            continue
        try:
            counts[column] = from_csv(read_regular(file))
        except (OSError, ValueError, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BenchError(
                f"{file}: this is not the file of a board's samples ({reason}); restore it, for "
                "instance with `git restore`",
                Exit.UNVERIFIED,
            ) from None
    return counts


def files(counts: Mapping[str, ColumnCounts]) -> dict[str, bytes]:
    """Return the file of each column that has counts, by its name."""
    return {file_name(column): to_csv(each) for column, each in counts.items()}
