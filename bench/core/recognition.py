"""What a recognizer from outside bench returns, and how it is called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

Origin = Literal["trained", "pretrained", "predictions"]
"""Who trained and who ran a row: bench did both (`trained`), others trained it and bench ran it
(`pretrained`), or others did both (`predictions`)."""


@dataclass(frozen=True)
class Reading:
    """What was read of one sample.

    Attributes:
        text: The text; empty if nothing was read.
        confidence: How certain it is, in [0, 1]; None if it is unknown.
        seconds: What reading it took, where others measured that.
        price: What reading it cost, in US dollars.
        remark: What a person should know of it, such as `missing`; boards count equal remarks.
    """

    text: str
    confidence: float | None = None
    seconds: float | None = None
    price: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Workplace:
    """What a recognizer may use.

    Attributes:
        device: "cpu" or "cuda": the one GPU that its process sees.
        threads: How many threads it should compute with.
        cache: A folder for what is worth keeping between runs, such as answers of a paid service.
            It need not exist yet.
    """

    device: str
    threads: int
    cache: Path


class TextReader(ABC):
    """A recognizer that is ready to read."""

    def begin(self, ids: Sequence[str]) -> None:  # noqa: B027 (most readers need not know)
        """Learn the ids of all samples of the split, before the first batch is read.

        A run that resumes asks for some of them only.

        Raises:
            BenchError: It has nothing to do with these samples.
        """

    @abstractmethod
    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return what is read of each sample of a batch, in their order.

        Raises:
            BenchError: It cannot read on; what earlier batches gave is kept.
        """

    @property
    def parameters(self) -> int | None:
        """The number of weights; None if it is unknown."""
        return None

    @property
    def alphabet(self) -> frozenset[str] | None:
        """The characters that it can read; None if they are unknown."""
        return None

    def remarks(self) -> Mapping[str, int]:
        """Return counts of what a person should know, once everything is read."""
        return {}
