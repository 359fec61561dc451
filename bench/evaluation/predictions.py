"""Predictions of a split as Parquet: every metric can be computed from them again."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from bench.core.errors import BenchError, Exit
from bench.evaluation.metrics.count_errors import compare
from bench.evaluation.metrics.error_rates import Compared, ErrorRates, error_rates
from bench.evaluation.metrics.localisation import Localisation, localisation
from bench.evaluation.protocols import Protocol
from bench.trials.store import PREDICTIONS, Record

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("reference", pa.string()),
        ("hypothesis", pa.string()),
        ("edits", pa.int32()),
        ("length", pa.int32()),
        ("excluded", pa.string()),
        ("confidence", pa.float32()),
        ("path", pa.list_(pa.int16())),
        ("aligned", pa.list_(pa.int16())),
        ("scores", pa.list_(pa.float32())),
        ("key_frames", pa.list_(pa.int16())),
        ("read", pa.int32()),
        ("placed", pa.int32()),
        ("word_edits", pa.int32()),
        ("words", pa.int32()),
    ]
)
"""`reference` and `hypothesis` are as they were, so that all else can be computed again. `excluded`
is the protocol's reason not to score the sample, or null. `path` is the best class of each valid
frame, `aligned` the frame on it of each label read, `scores` the confidence of its span,
`key_frames` the true frame of each label; empty where unknown, and where frames of the network are
not those of its input."""
COUNTS = Compared._fields
"""The columns that are counted under the protocol, see `Compared`: null where it does not define
them, and in files that were written before there were such columns."""
_PACKED = 4096


@dataclass
class Predictions:
    """The rows of one split, gathered batch by batch."""

    protocol: Protocol
    _rows: list[dict[str, object]] = field(default_factory=list, init=False)
    _packed: list[pa.RecordBatch] = field(default_factory=list, init=False)

    def add(self, identity: str, reference: str, hypothesis: str, **more: object) -> None:
        """Add one sample, compared under the protocol."""
        left = self.protocol.normalise(reference)
        counted = compare(self.protocol, *self.protocol.paired(left, hypothesis))
        self._rows.append(
            {
                "id": identity,
                "reference": reference,
                "hypothesis": hypothesis,
                "excluded": self.protocol.reason(reference, left),
                **counted._asdict(),
                **more,
            }
        )
        if len(self._rows) == _PACKED:
            self._pack()

    def table(self) -> pa.Table:
        """Return the rows as a table of `SCHEMA`."""
        self._pack()
        return pa.Table.from_batches(self._packed, SCHEMA)

    def _pack(self) -> None:
        """Put the rows into columns: as dictionaries they take several times the memory."""
        self._packed.append(pa.RecordBatch.from_pylist(self._rows, SCHEMA))
        self._rows.clear()


def recounted(table: pa.Table, protocol: Protocol) -> pa.Table:
    """Return what `add` makes of the two texts of each row: `excluded` and `COUNTS`."""
    again = Predictions(protocol)
    columns = (table[name].to_pylist() for name in ("id", "reference", "hypothesis"))
    for row in zip(*columns, strict=True):
        again.add(*row)
    return again.table().select(["excluded", *COUNTS])


def score(table: pa.Table) -> ErrorRates:
    """Sum the scored rows; count the excluded ones by reason."""
    # Plain lists: Arrow's own filter takes seconds to load, in each fresh worker.
    columns = (table[name].to_pylist() for name in COUNTS)
    reasons = table["excluded"].to_pylist()
    rows = zip(reasons, map(Compared, *columns), strict=True)
    counted = [one for reason, one in rows if reason is None]
    return error_rates(counted, Counter(reason for reason in reasons if reason is not None))


def to_bytes(table: pa.Table) -> bytes:
    """Return the Parquet file of `table`; the same rows give the same bytes."""
    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def read(file: Path) -> pa.Table:
    """Read a file that `to_bytes` made."""
    return parquet.read_table(file, schema=SCHEMA)


def parse(content: bytes) -> pa.Table:
    """Read what `to_bytes` returned."""
    return parquet.read_table(pa.BufferReader(content), schema=SCHEMA)


def located(table: pa.Table) -> Localisation | None:
    """Say where labels are read, None where no true key frame or no frame of a label is known."""
    columns = table.to_pydict()
    if not (any(columns["key_frames"]) and any(columns["aligned"])):
        return None
    if None in columns["scores"]:  # Written before there were any.
        del columns["scores"]
    return localisation(columns)


def of(folder: Path, record: Record) -> pa.Table:
    """Read what `record` left in `folder`. Raises BenchError (unverified) where that cannot be."""
    if not (folder / PREDICTIONS).is_file():
        raise BenchError(
            f"{folder / PREDICTIONS}: the predictions of {record.key} are gone; "
            "run its trial again with --force",
            Exit.UNVERIFIED,
        )
    try:
        return read(folder / PREDICTIONS)
    except (pa.ArrowException, OSError) as error:
        raise BenchError(
            f"{folder / PREDICTIONS}: the predictions of {record.key} cannot be read "
            f"({str(error).partition(chr(10))[0]}); run its trial again with --force",
            Exit.UNVERIFIED,
        ) from None


def worst(table: pa.Table, count: int) -> list[list[str]]:
    """Return id, reference, hypothesis and edits of the scored samples with the most edits."""
    wrong = [row for row in table.to_pylist() if row["edits"] and row["excluded"] is None]
    ranked = sorted(wrong, key=lambda row: -row["edits"])
    shown = ("id", "reference", "hypothesis", "edits")
    return [[str(row[name]) for name in shown] for row in ranked[:count]]
