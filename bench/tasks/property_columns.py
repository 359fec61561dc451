"""Properties of test samples as columns of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.data.datasets.base import StoredDataset
from bench.evaluation.sample_properties import with_properties

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.core.components import Dataset


def with_test_properties(table: pa.Table, test: Dataset) -> pa.Table:
    """Return predictions with a column per property of the test samples, if the data are stored.

    Data sets that compose samples on the fly have no properties. Rows stay in the order in which
    they were read, which is by length if batches are padded.
    """
    if not isinstance(test, StoredDataset):
        return table
    properties = test.properties("test")
    positions = {identity: n for n, identity in enumerate(test.selection("test").ids())}
    order = [positions[identity] for identity in table["id"].to_pylist()]
    return with_properties(
        table, {name: [values[n] for n in order] for name, values in properties.items()}
    )
