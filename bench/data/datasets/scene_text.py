"""Base class of the data sets of scene text: cropped words with characters as labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.types import InputKind
from bench.data.datasets.base import StoredDataset
from bench.evaluation.protocols.words import STR_36

if TYPE_CHECKING:
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.evaluation.protocols import Protocol


@dataclass(frozen=True)
class SceneText(StoredDataset):
    """Cropped words with the alphabet `str-36`: lower-case letters and digits."""

    gives: ClassVar[InputKind] = "image"

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the label encoder of `alphabet`, else of `str-36`."""
        from bench.data.reading.label_encoder import encoder_of_alphabet

        return encoder_of_alphabet(alphabet or STR_36)
