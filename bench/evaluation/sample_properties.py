"""What predictions tell of a sample beside its texts: the size of its picture, its writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from bench.core.printable import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "property/"
"""The column of a property is called so, and then by its name."""
SIZES = ("width", "height", "frames")
"""The pixels of a picture as it is stored, or the number of frames of a clip."""
NAMES = ("writer", "signer", "source", "session")
"""Who or what a sample is from; empty where that is unknown."""
_TYPES = dict.fromkeys(SIZES, pa.int32()) | dict.fromkeys(NAMES, pa.string())
_MAX_NAME = 60
"""Characters of a name; a longer one is cut."""


def property_fields(columns: Iterable[str]) -> list[tuple[str, pa.DataType]]:
    """Return the fields of those properties that `columns` have, always in the same order."""
    there = {*columns}
    return [(PREFIX + name, kind) for name, kind in _TYPES.items() if PREFIX + name in there]


def with_properties(table: pa.Table, values: Mapping[str, Sequence[int | str]]) -> pa.Table:
    """Return a table of predictions with a column per property, of one value per row.

    Names of writers and the like come from the data: they are cut, and kept printable.
    """
    for name, kind in _TYPES.items():
        if name in values:
            column = values[name]
            if name in NAMES:
                column = [in_one_line(str(each), _MAX_NAME) for each in column]
            table = table.append_column(pa.field(PREFIX + name, kind), pa.array(column, kind))
    return table


def check_properties(table: pa.Table) -> None:
    """Raise ValueError where a property has a value that no sample can have."""
    for column, _ in property_fields(table.column_names):
        name = column.removeprefix(PREFIX)
        values = table[column]
        if values.null_count:
            raise ValueError(f"a sample has no {name}")
        if name in SIZES:
            if len(values) and values.to_numpy().min() < 1:
                raise ValueError(f"the {name} of a sample is below 1")
        elif any(in_one_line(each, _MAX_NAME) != each for each in values.unique().to_pylist()):
            raise ValueError(f"the {name} of a sample is not a short text in one line")
