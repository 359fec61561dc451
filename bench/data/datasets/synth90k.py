"""synth90k: nine million rendered words."""

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
"""Where clovaai's and PARSeq's LMDBs have its partitions."""


@dataclass(frozen=True)
class Synth90k(SceneText):
    """Nine million words rendered from a lexicon of 90,000 (MJSynth).

    Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
    Recognition" (NIPS Deep Learning Workshop 2014): the tree `90kDICT32px` with its annotation
    files, or the LMDBs that clovaai, PARSeq and ABINet are trained on.
    """

    name: ClassVar[str] = "synth90k"

    def reader(self, source: Path) -> Reader:
        """Return the tree of images, or the LMDBs, in `source`."""
        from bench.data.raw.word_images import tree_or_lmdb

        return tree_or_lmdb(self.name, source, READY)
