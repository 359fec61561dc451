"""iam: lines of English handwriting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.core.types import SPLITS, InputKind, Split
from bench.data.datasets.base import StoredDataset
from bench.data.store.prepared import combined_fingerprint, require_prepared
from bench.evaluation.protocols.lines import HTR_RAW, HTR_THESIS

if TYPE_CHECKING:
    from bench.data.datasets.line_splits import LineSplits
    from bench.data.raw.entries import Reader
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.samples import Selection
    from bench.data.store.prepared import Advance, Prepared
    from bench.evaluation.protocols import Protocol

_PARTITION = "lines"
_WRITERS = "writers.txt"
"""Form and writer per row; a file of its own, because writers are not part of the fingerprint."""


@dataclass(frozen=True)
class IAM(StoredDataset):
    """Lines of the IAM Handwriting Database; its alphabet has the 79 characters of its texts.

    Attributes:
        split: The name of a division into splits, see `bench docs datasets`. The default has every
            line of the forms of the common Aachen (RWTH) split.
        spacing: `xml` reads the transcripts of the XML files, `ascii` those of `lines.txt`, which
            have spaces before punctuation marks.

    Source: Marti and Bunke, "The IAM-database: an English sentence database for offline handwriting
    recognition" (IJDAR 2002).
    """

    name: ClassVar[str] = "iam"
    gives: ClassVar[InputKind] = "image"

    split: str = "rwth-6482"
    spacing: Literal["xml", "ascii"] = "xml"

    def __post_init__(self) -> None:
        """Replace an alias of the split by its name. Raises BenchError for an unknown split."""
        from bench.data.datasets.line_splits import find_division

        object.__setattr__(self, "split", find_division(self.split).name)

    def reader(self, source: Path) -> Reader:
        """Return the reader of the raw data set in `source`."""
        from bench.data.raw.iam import IamLines

        return IamLines(source)

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream the lines to an LMDB; copy the official lists of splits, and store the writers."""
        from bench.core.documents import write_bytes
        from bench.data.datasets.line_splits import keep_official
        from bench.data.raw.iam import IamLines

        prepared = super().prepare(source, advance)
        keep_official(source, self.folder / "lists")
        writers = IamLines(source).writers()
        rows = "".join(f"{form} {writer}\n" for form, writer in sorted(writers.items()))
        write_bytes(self.folder / _WRITERS, rows.encode())
        return prepared

    def splits(self) -> tuple[Split, ...]:
        """Return all three splits. Raises BenchError if the data set is not prepared."""
        require_prepared(self.prepared_name)
        return SPLITS

    def fingerprint(self, split: Split) -> str:
        """Return the fingerprint of the lines, the list of the split, and the spacing."""
        lists = self._lists.fingerprint(split)
        return combined_fingerprint([self.part_fingerprint(_PARTITION), lists, self.spacing])

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the label encoder of `alphabet`, else of the 79 characters of IAM."""
        from bench.data.reading.label_encoder import LabelEncoder, encoder_of_alphabet

        if alphabet is not None:
            return encoder_of_alphabet(alphabet)
        return LabelEncoder(tuple(HTR_THESIS.charset), HTR_RAW)

    def selection(self, split: Split) -> Selection:
        """Return the lines of a split."""
        import numpy as np

        from bench.data.reading.samples import Selection
        from bench.data.store.partition import Partition

        partition, lists = Partition(self.prepared_name, _PARTITION), self._lists
        split_of_row = [lists.get(line) or "" for line in partition.column("id").to_pylist()]
        rows = np.flatnonzero(np.array(split_of_row) == split)
        return Selection(partition, rows, "text" if self.spacing == "xml" else "ascii")

    def properties(self, split: Split) -> dict[str, list[Any]]:
        """Return the properties of lines, with writers if they were stored by `prepare`."""
        from bench.core.regular_files import is_there, read_regular

        properties = super().properties(split)
        file = self.folder / _WRITERS
        if not is_there(file):
            return properties
        rows = read_regular(file).decode("utf-8", "replace").splitlines()
        writers = {form: writer for form, _, writer in (row.partition(" ") for row in rows)}
        forms = (line.rpartition("-")[0] for line in self.selection(split).ids())
        return properties | {"writer": [writers.get(form, "") for form in forms]}

    @property
    def _lists(self) -> LineSplits:
        from bench.data.datasets.line_splits import line_splits

        return line_splits(self.split, self.folder / "lists")
