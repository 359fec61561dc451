"""Properties of samples in a table of predictions: the size of the image, the writer, and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from bench.core.printable import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "property/"
"""The column of a property is named by this prefix and the name of the property."""
SIZES = ("width", "height", "frames")
"""Width and height in pixels of an image as it is stored; the number of frames of a clip."""
NAMES = ("writer", "signer", "source", "session")
"""The origin of a sample; empty if unknown."""
_TYPES = dict.fromkeys(SIZES, pa.int32()) | dict.fromkeys(NAMES, pa.string())
_MAX_NAME = 60
"""Characters of a name; longer ones are cut."""


def property_fields(columns: Iterable[str]) -> list[tuple[str, pa.DataType]]:
    """Return the columns of properties among `columns`, with their types, in a fixed order."""
    present = {*columns}
    return [(PREFIX + name, kind) for name, kind in _TYPES.items() if PREFIX + name in present]


def with_properties(table: pa.Table, values: Mapping[str, Sequence[int | str]]) -> pa.Table:
    """Return a table of predictions with one more column per property.

    Names come from the data and are untrusted: they are shortened and made printable.

    Args:
        table: A table of predictions with N rows.
        values: By property, one value per row (N,); other keys are ignored.
    """
    for name, kind in _TYPES.items():
        if name in values:
            column = values[name]
            if name in NAMES:
                column = [in_one_line(str(each), _MAX_NAME) for each in column]
            table = table.append_column(pa.field(PREFIX + name, kind), pa.array(column, kind))
    return table


def check_properties(table: pa.Table) -> None:
    """Check the values of the properties of a table of predictions.

    Raises:
        ValueError: A value is missing, a size is below 1, or a name is too long or not printable.
    """
    for column, _ in property_fields(table.column_names):
        name = column.removeprefix(PREFIX)
        values = table[column]
        if values.null_count:
            raise ValueError(f"a sample has no {name}")
        if name in SIZES:
            if len(values) and values.to_numpy().min() < 1:
                raise ValueError(f"the {name} of a sample is below 1")
        elif any(in_one_line(each, _MAX_NAME) != each for each in values.unique().to_pylist()):
            raise ValueError(f"the {name} of a sample is not a short printable line")
