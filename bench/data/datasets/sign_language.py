"""Base class of the data sets of sign language: clips with glosses as labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.errors import BenchError
from bench.core.types import InputKind
from bench.data.datasets.base import StoredDataset
from bench.evaluation.protocols import Protocol

if TYPE_CHECKING:
    from bench.data.reading.label_encoder import LabelEncoder

_GLOSSES = Protocol("glosses", 1, "Glosses as they are annotated.", charset="", unit="gloss")


@dataclass(frozen=True)
class SignLanguage(StoredDataset):
    """Clips of signed sentences; the vocabulary has the glosses of all splits, as in VAC's code.

    Source: github.com/VIPL-SLP/VAC_CSLR, the code of Min et al. (ICCV 2021).
    """

    gives: ClassVar[InputKind] = "frames"

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the encoder of the glosses of all splits. Raises BenchError on an alphabet."""
        return gloss_encoder(self, alphabet)


def gloss_encoder(dataset: StoredDataset, alphabet: Protocol | None) -> LabelEncoder:
    """Return the label encoder of the glosses of all splits. Raises BenchError on an alphabet."""
    from bench.data.reading.label_encoder import LabelEncoder

    if alphabet is not None:
        raise BenchError(
            f"data set '{dataset.label}' has glosses as labels, not characters; remove "
            f"alphabet = '{alphabet.name}'"
        )
    texts = (text for split in dataset.splits() for text in dataset.selection(split).texts())
    glosses = {gloss for text in texts for gloss in text.split()}
    return LabelEncoder(tuple(sorted(glosses)), _GLOSSES)
