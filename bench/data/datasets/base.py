"""Datasets that are read from their distributions once: what they all do."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.components import Dataset
from bench.core.types import SPLITS, Split
from bench.data.store import data_dir as home
from bench.data.store.prepared import SYNTHETIC, Advance, Prepared, digest, require

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.raw.entries import Layout


@dataclass(frozen=True)
class PreparedDataset(Dataset):
    """A dataset that is read from its distribution once, by `bench data prepare`.

    `synthetic` takes the stand-in of `bench data synth` instead of the real data.
    """

    synthetic: bool = False

    @property
    def prepared_name(self) -> str:
        """The name of its folder among the prepared data."""
        return self.name + (SYNTHETIC if self.synthetic else "")

    @property
    def folder(self) -> Path:
        """The folder of its prepared data."""
        return home.folder() / self.prepared_name

    @abstractmethod
    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Write what `source` holds into the folder of its prepared data.

        Killed at any moment, it goes on from there the next time. Raises BenchError where that
        cannot be.
        """

    @abstractmethod
    def verify(self, advance: Advance) -> list[str]:
        """Hold the prepared data against their document; return what is wrong, in sentences."""

    def parts(self) -> list[tuple[str, str]]:
        """Return the (prepared name, partition) of all that it reads."""
        return [(self.prepared_name, part) for part in require(self.prepared_name).parts]

    def own_splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared under its own name."""
        return SPLITS

    def fingerprint(self) -> str:
        """Return the digest of all partitions that it reads, as they were prepared."""
        return digest(require(name).parts[part].fingerprint for name, part in self.parts())


@dataclass(frozen=True)
class StoredDataset(PreparedDataset):
    """A dataset whose samples are stored in an LMDB a partition."""

    @abstractmethod
    def layout(self, source: Path) -> Layout:
        """Return its distribution in `source`. Raises BenchError where that holds another."""

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream what its layout lists into LMDBs."""
        from bench.data.store import preparing

        clips = self.gives == "frames"
        return preparing.prepare(self.layout(source), source, self.folder, advance, clips=clips)

    def verify(self, advance: Advance) -> list[str]:
        """Read every sample again, and compare with what was noted of it."""
        from bench.data.store import verifying

        return verifying.verify(self.prepared_name, advance)
