"""Data sets that are prepared once from what their authors hand out: what they all do."""

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
    """A data set that `bench data prepare` reads from its raw data set once.

    Attributes:
        synthetic: Whether the synthetic data set of `bench data synth` is read, not the real one.
    """

    synthetic: bool = False

    @property
    def prepared_name(self) -> str:
        """The name of its folder among the prepared data."""
        return self.name + (SYNTHETIC if self.synthetic else "")

    @property
    def folder(self) -> Path:
        """The folder of its prepared data."""
        return home.data_folder() / self.prepared_name

    @abstractmethod
    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Write what `source` holds into the folder of its prepared data.

        Killed at any moment, it resumes there the next time. Raises BenchError where `source` is
        another data set or cannot be read.
        """

    @abstractmethod
    def verify(self, advance: Advance) -> list[str]:
        """Compare the prepared data with their document; return what is wrong, in sentences."""

    def splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared."""
        there = require_prepared(self.prepared_name).parts
        return tuple(split for split in SPLITS if split in there)

    def fingerprint(self, split: Split) -> str:
        """Return the digest of the partition of a split, as it was prepared."""
        return self.part_fingerprint(split)

    def part_fingerprint(self, part: str) -> str:
        """Return the digest of a partition. Raises BenchError where it was not prepared."""
        parts = require_prepared(self.prepared_name).parts
        if part not in parts:
            raise missing_partition(self.prepared_name, part, parts)
        return parts[part].fingerprint


@dataclass(frozen=True)
class StoredDataset(PreparedDataset):
    """A data set whose samples are stored in one LMDB per partition; several can be joined."""

    @abstractmethod
    def reader(self, source: Path) -> Reader:
        """Return the raw data set in `source`. Raises BenchError where that is another one."""

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream what its reader lists into LMDBs."""
        from bench.data.store import preparing

        clips = self.gives == "frames"
        return preparing.prepare(self.reader(source), source, self.folder, advance, clips=clips)

    def verify(self, advance: Advance) -> list[str]:
        """Read every sample again, and compare with what was noted of it."""
        from bench.data.store import verifying

        return verifying.verify_prepared(self.prepared_name, advance)

    def selection(self, split: Split) -> Selection:
        """Return the samples of a split. Raises BenchError where it has no such split."""
        from bench.data.reading.samples import Selection
        from bench.data.store.partition import Partition

        return Selection(Partition(self.prepared_name, split))

    def properties(self, split: Split) -> dict[str, list[Any]]:
        """Return what `bench.evaluation.sample_properties` lists, as far as the data have it.

        Of each property, one value per sample, in the order of `selection`.
        """
        return self.selection(split).properties()

    def open(
        self,
        model_input: Input,
        encoder: LabelEncoder,
        augmentation: Augmentation | None = None,
    ) -> PreparedPipeline:
        """Open its splits; pixels are read when batches are."""
        from bench.data.reading.stored import join_splits, open_stored

        return open_stored(join_splits([self]), model_input, encoder, augmentation)
