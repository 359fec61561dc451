"""What the datasets of sign language have in common: clips, and the glosses that they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.core.errors import BenchError
from bench.core.schema import Count, Share
from bench.core.types import SPLITS, InputKind, InputPipeline
from bench.data.datasets.base import StoredDataset
from bench.evaluation.protocols import Protocol

_GLOSSES = Protocol("glosses", 1, "Glosses as they are annotated.", charset="", unit="gloss")


@dataclass(frozen=True)
class SignLanguage(StoredDataset):
    """Clips scaled to `size` × `size`, of which `crop` × `crop` pixels are shown.

    In training the crop lies anywhere, half of the clips are mirrored, and time is rescaled by up
    to `rescale`. The vocabulary is that of all splits, as in VAC's code (Min et al., ICCV 2021).
    """

    gives: ClassVar[InputKind] = "frames"
    protocol: ClassVar[str] = "gloss-phoenix14"

    size: Count = 256
    crop: Count = 224
    rescale: Share = 0.2

    def __post_init__(self) -> None:
        """Raise BenchError where the crop is larger than the frame."""
        if self.crop > self.size:
            raise BenchError(
                f"dataset '{self.name}': crop = {self.crop} is larger than size = {self.size}"
            )

    def build(self) -> InputPipeline:
        """Open the clips; frames are read when batches are."""
        from bench.data.inputs.clips import Clips
        from bench.data.reading.label_encoder import Transcriber
        from bench.data.reading.pipeline import PreparedSource
        from bench.data.reading.samples import Samples, Selection
        from bench.data.store.partition import Partition

        partitions = {split: Partition(self.prepared_name, split) for split in SPLITS}
        glosses = {
            gloss
            for partition in partitions.values()
            for text in partition.column("text").to_pylist()
            for gloss in text.split()
        }
        return PreparedSource(
            {split: Samples([Selection(part)]) for split, part in partitions.items()},
            Transcriber(tuple(sorted(glosses)), _GLOSSES),
            Clips(self.size, self.crop, self.rescale),
        )
