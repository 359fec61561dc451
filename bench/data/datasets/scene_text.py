"""What the datasets of scene text have in common: words at one size, trained on one set or more."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.core.schema import Count
from bench.core.types import SPLITS, InputKind, InputPipeline, InputShape, Split
from bench.data.datasets.base import StoredDataset
from bench.data.store.prepared import SYNTHETIC, missing_part, require
from bench.evaluation import protocols

if TYPE_CHECKING:
    from bench.data.reading.samples import Selection

_HELD_OUT = 10
"""Where a set has no validation part, one in so many of its training samples is held out."""


@dataclass(frozen=True)
class SceneText(StoredDataset):
    """Cropped words. They are stretched to `height` × `width`, or `keep_ratio` (grey beside).

    `train` names the prepared sets that are trained on and validated with, its own where there is
    none; a set without a validation part gives a tenth of its training samples, by the checksum of
    their identities. `reads` is the protocol whose characters the network learns: others are not
    in its targets, and every sample stays. Transcripts are scored as they are.
    """

    gives: ClassVar[InputKind] = "image"
    protocol: ClassVar[str] = "str-36"
    trained_by: ClassVar[tuple[str, ...]] = ()
    """The default of `train`: none where it has training samples of its own."""

    train: tuple[str, ...] = ()
    reads: Literal["str-36", "str-62", "str-94"] = "str-36"
    height: Count = 32
    width: Count = 100
    colour: bool = False
    keep_ratio: bool = False

    def parts(self) -> list[tuple[str, str]]:
        """Return the (prepared name, partition) of all that it reads."""
        return [place for split in SPLITS for place in self._split(split)]

    def own_splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared under its own name."""
        there = require(self.prepared_name).parts
        own = self._split("train") if "train" in there else []
        mine = {self.prepared_name} == {name for name, _ in own}
        return tuple(split for split in SPLITS if (split in there if split == "test" else mine))

    def _split(self, split: Split) -> list[tuple[str, str]]:
        if split == "test":
            return [(self.prepared_name, _there(self.prepared_name, "test"))]
        found = []
        for name in self.train or self._trained_by():
            own = split == "train" or "validation" not in require(name).parts
            found.append((name, _there(name, "train" if own else "validation")))
        return found

    def _trained_by(self) -> tuple[str, ...]:
        """Return what is trained on by default; a stand-in is trained on stand-ins."""
        names = self.trained_by or (self.name,)
        return tuple(name + SYNTHETIC if self.synthetic else name for name in names)

    def trained_on(self) -> dict[str, Any]:
        """Return the partitions that are trained on and validated with, and how they are shown."""
        splits: tuple[Split, ...] = ("train", "validation")
        places = [place for split in splits for place in self._split(split)]
        shown = {field.name: getattr(self, field.name) for field in fields(SceneText)}
        del shown["synthetic"], shown["train"]
        data = [[*place, require(place[0]).parts[place[1]].fingerprint] for place in places]
        return shown | {"version": self.version, "data": data}

    def build(self) -> InputPipeline:
        """Open the data; pixels are read when batches are."""
        from bench.data.inputs.words import Words
        from bench.data.reading.label_encoder import Transcriber
        from bench.data.reading.pipeline import PreparedSource
        from bench.data.reading.samples import LazySplits, Samples

        rules = protocols.find(self.reads)
        shape = InputShape(3 if self.colour else 1, self.height, self.width)

        def select(split: Split) -> Samples:
            return Samples([_selection(*place, split) for place in self._split(split)])

        return PreparedSource(
            LazySplits(select),
            Transcriber(tuple(rules.charset), rules),
            Words(shape, self.keep_ratio),
        )


def _there(name: str, part: str) -> str:
    """Return `part`. Raises BenchError where it was not prepared."""
    parts = require(name).parts
    if part not in parts:
        raise missing_part(name, part, parts)
    return part


def _selection(name: str, part: str, split: Split) -> Selection:
    """Return what a split has of a partition: of a train part, what is held out or the rest."""
    import numpy as np

    from bench.data.reading.samples import Selection
    from bench.data.store.partition import Partition

    partition = Partition(name, part)
    if part != "train" or "validation" in require(name).parts:
        return Selection(partition)
    chunks = (chunk["id"].to_pylist() for chunk in partition.chunks)
    drawn = (zlib.crc32(one.encode()) % _HELD_OUT == 0 for chunk in chunks for one in chunk)
    held = np.fromiter(drawn, bool, len(partition))
    return Selection(partition, np.flatnonzero(held if split == "validation" else ~held))
