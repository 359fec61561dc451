"""synth90k: nine million words rendered from a lexicon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.data.datasets.scene_text import SceneText

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader

READY = {
    "train": ("MJ/MJ_train", "MJ_train", "MJ/train"),
    "validation": ("MJ/MJ_valid", "MJ_valid", "MJ/val"),
    "test": ("MJ/MJ_test", "MJ_test", "MJ/test"),
}
"""The folders of its partitions in the LMDB releases of clovaai and PARSeq."""


@dataclass(frozen=True)
class Synth90k(SceneText):
    """Nine million words rendered from a lexicon of 90,000 (MJSynth).

    It is read from the folder `90kDICT32px` with its annotation files, or from the LMDBs that
    clovaai, PARSeq and ABINet are trained on.

    Source: Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
    Recognition" (NIPS Deep Learning Workshop 2014).
    """

    name: ClassVar[str] = "synth90k"

    def reader(self, source: Path) -> Reader:
        """Return the reader of the annotation files or of the LMDBs in `source`."""
        from bench.data.raw.word_images import tree_or_lmdb

        return tree_or_lmdb(self.name, source, READY)
