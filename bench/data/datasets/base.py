"""Base classes of data sets that are prepared once from a raw data set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.core.components import Augmentation, Dataset
from bench.core.types import SPLITS, Split
from bench.data.store import data_dir as home
from bench.data.store.prepared import (
    SYNTHETIC,
    Advance,
    Prepared,
    missing_partition,
    require_prepared,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bench.core.model_input import Input
    from bench.data.raw.entries import Reader
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.pipeline import PreparedPipeline
    from bench.data.reading.samples import Selection


@dataclass(frozen=True)
class PreparedDataset(Dataset):
    """A data set that `bench data prepare` has to prepare from its raw data set.

    Attributes:
        synthetic: Whether to read the synthetic data set of `bench data synth` instead.
    """

    synthetic: bool = False

    @property
    def prepared_name(self) -> str:
        """The name of the folder of its prepared data."""
        return self.name + (SYNTHETIC if self.synthetic else "")

    @property
    def folder(self) -> Path:
        """The folder of its prepared data."""
        return home.data_folder() / self.prepared_name

    @abstractmethod
    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Write the raw data set in `source` to the folder of prepared data.

        A preparation that was killed is resumed by the next call.

        Raises:
            BenchError: `source` is another data set, or cannot be read.
        """

    @abstractmethod
    def verify(self, advance: Advance) -> list[str]:
        """Compare the prepared data with their document; return a sentence per fault."""

    def splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared."""
        parts = require_prepared(self.prepared_name).parts
        return tuple(split for split in SPLITS if split in parts)

    def fingerprint(self, split: Split) -> str:
        """Return the fingerprint of the prepared partition of a split."""
        return self.part_fingerprint(split)

    def part_fingerprint(self, part: str) -> str:
        """Return the fingerprint of a partition. Raises BenchError if it was not prepared."""
        parts = require_prepared(self.prepared_name).parts
        if part not in parts:
            raise missing_partition(self.prepared_name, part, parts)
        return parts[part].fingerprint


@dataclass(frozen=True)
class StoredDataset(PreparedDataset):
    """A data set with one LMDB per partition; several such data sets can be combined."""

    @abstractmethod
    def reader(self, source: Path) -> Reader:
        """Return the reader of the raw data set in `source`. Raises BenchError for another one."""

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream the samples of the reader to LMDBs."""
        from bench.data.store import preparing

        clips = self.gives == "frames"
        return preparing.prepare(self.reader(source), source, self.folder, advance, clips=clips)

    def verify(self, advance: Advance) -> list[str]:
        """Read every sample again, and compare it with its hash; return a sentence per fault."""
        from bench.data.store import verifying

        return verifying.verify_prepared(self.prepared_name, advance)

    def selection(self, split: Split) -> Selection:
        """Return the samples of a split. Raises BenchError if the split does not exist."""
        from bench.data.reading.samples import Selection
        from bench.data.store.partition import Partition

        return Selection(Partition(self.prepared_name, split))

    def properties(self, split: Split) -> dict[str, list[Any]]:
        """Return those properties of `bench.evaluation.sample_properties` that the data have.

        Each property has one value per sample, in the order of `selection`.
        """
        return self.selection(split).properties()

    def open(
        self,
        model_input: Input,
        encoder: LabelEncoder,
        augmentation: Augmentation | None = None,
    ) -> PreparedPipeline:
        """Return the pipeline of its splits; pixels are read with each batch."""
        from bench.data.reading.stored import join_splits, open_stored

        return open_stored(join_splits([self]), model_input, encoder, augmentation)
