"""What the data sets of sign language have in common: clips, and the glosses that they show."""

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
    """Clips of signed sentences. The vocabulary is that of all splits, as in VAC's code.

    Source: github.com/VIPL-SLP/VAC_CSLR, the code of Min et al. (ICCV 2021).
    """

    gives: ClassVar[InputKind] = "frames"

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the encoder of the glosses of all splits. Raises BenchError on an alphabet."""
        return gloss_encoder(self, alphabet)


def gloss_encoder(dataset: StoredDataset, alphabet: Protocol | None) -> LabelEncoder:
    """Return the encoder of the glosses of all splits. Raises BenchError on an alphabet."""
    from bench.data.reading.label_encoder import LabelEncoder

    if alphabet is not None:
        raise BenchError(
            f"data set '{dataset.label}' is read by its glosses and not by characters; leave "
            f"alphabet = '{alphabet.name}' out"
        )
    texts = (text for split in dataset.splits() for text in dataset.selection(split).texts())
    glosses = {gloss for text in texts for gloss in text.split()}
    return LabelEncoder(tuple(sorted(glosses)), _GLOSSES)
