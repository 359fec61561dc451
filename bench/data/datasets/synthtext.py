"""synthtext: words cut from SynthText in the wild."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.data.datasets.scene_text import SceneText

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader

READY = {"train": ("ST", "ST/ST_train", "synth/ST")}


@dataclass(frozen=True)
class SynthText(SceneText):
    """Words cut from rendered scenes, to train on; it has no test split.

    Its LMDB releases differ in how words were cut and filtered; the card lists their sizes.

    Source: Gupta et al., "Synthetic Data for Text Localisation in Natural Images" (CVPR 2016).
    """

    name: ClassVar[str] = "synthtext"

    def reader(self, source: Path) -> Reader:
        """Return the reader of the annotation files or of the LMDB in `source`."""
        from bench.data.raw.word_images import tree_or_lmdb

        return tree_or_lmdb(self.name, source, READY)
