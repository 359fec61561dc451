"""phoenix14: weather forecasts in German sign language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.data.datasets.sign_language import SignLanguage

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader


@dataclass(frozen=True)
class Phoenix14(SignLanguage):
    """RWTH-PHOENIX-Weather 2014, the same nine signers in every split.

    Source: Koller, Forster and Ney, "Continuous sign language recognition: Towards large vocabulary
    statistical recognition systems handling multiple signers" (CVIU 2015).
    """

    name: ClassVar[str] = "phoenix14"

    def reader(self, source: Path) -> Reader:
        """Return the reader of the release in `source`."""
        from bench.data.raw.phoenix14 import Phoenix14Reader

        return Phoenix14Reader(source, "multisigner")


@dataclass(frozen=True)
class Phoenix14SI5(SignLanguage):
    """RWTH-PHOENIX-Weather 2014 SI5, tested on a signer who is not in the training split."""

    name: ClassVar[str] = "phoenix14-si5"

    def reader(self, source: Path) -> Reader:
        """Return the reader of the release in `source`."""
        from bench.data.raw.phoenix14 import Phoenix14Reader

        return Phoenix14Reader(source, "si5")


@dataclass(frozen=True)
class Phoenix14T(SignLanguage):
    """RWTH-PHOENIX-Weather 2014 T, which also has translations; only glosses are read.

    Source: Camgoz et al., "Neural Sign Language Translation" (CVPR 2018).
    """

    name: ClassVar[str] = "phoenix14-t"

    def reader(self, source: Path) -> Reader:
        """Return the reader of the release in `source`."""
        from bench.data.raw.phoenix14_t import Phoenix14TReader

        return Phoenix14TReader(source)
