"""iam: lines of English handwriting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.schema import Count, Natural
from bench.core.types import SPLITS, InputKind, InputPipeline
from bench.data.datasets.base import StoredDataset
from bench.data.store.prepared import digest
from bench.evaluation.protocols.lines import HTR_RAW, HTR_THESIS

if TYPE_CHECKING:
    from bench.data.raw.entries import Layout
    from bench.data.store.prepared import Advance, Prepared


@dataclass(frozen=True)
class IAM(StoredDataset):
    """Lines of the IAM Handwriting Database, at one height.

    Marti and Bunke, "The IAM-database: an English sentence database for offline handwriting
    recognition" (IJDAR 2002). `split` is named by what it holds: docs/datasets.md. `truth` is the
    spelling of its XML, or that of its ASCII files, which puts spaces before marks. `margin` is the
    white around a scan before it is scaled to `height`: rows above and below, columns at the sides.
    """

    name: ClassVar[str] = "iam"
    gives: ClassVar[InputKind] = "image"
    protocol: ClassVar[str] = "htr-iam"

    split: str = "rwth-6482"
    truth: Literal["xml", "ascii"] = "xml"
    height: Count = 64
    margin: tuple[Natural, Natural] = (16, 32)

    def __post_init__(self) -> None:
        """Call the split by its own name. Raises BenchError where there is none of that name."""
        from bench.data.datasets import line_splits as splits

        object.__setattr__(self, "split", splits.named(self.split).name)

    def layout(self, source: Path) -> Layout:
        """Return the distribution in `source`."""
        from bench.data.raw.iam import IamLines

        return IamLines(source)

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream the lines into an LMDB; keep the distribution's own lists of splits."""
        from bench.data.datasets import line_splits as splits

        found = super().prepare(source, advance)
        splits.keep_official(source, self._lists)
        return found

    def fingerprint(self) -> str:
        """Return the digest of all lines, and of the lists of the split."""
        from bench.data.datasets import line_splits as splits

        mine = splits.line_splits(self.split, self._lists)
        return digest([super().fingerprint(), mine.fingerprint])

    @property
    def _lists(self) -> Path:
        return self.folder / "lists"

    def build(self) -> InputPipeline:
        """Open the lines; pixels are read when batches are."""
        import numpy as np

        from bench.data.datasets import line_splits as splits
        from bench.data.inputs.lines import Lines
        from bench.data.reading.label_encoder import Transcriber
        from bench.data.reading.pipeline import PreparedSource
        from bench.data.reading.samples import Samples, Selection
        from bench.data.store.partition import Partition

        partition = Partition(self.prepared_name, "lines")
        mine = splits.line_splits(self.split, self._lists)
        of = np.array([mine.get(line) or "" for line in partition.column("id").to_pylist()])
        column = "text" if self.truth == "xml" else "ascii"
        return PreparedSource(
            {
                split: Samples([Selection(partition, np.flatnonzero(of == split))], column)
                for split in SPLITS
            },
            Transcriber(tuple(HTR_THESIS.charset), HTR_RAW),
            Lines(self.height, self.margin),
        )
