"""seq-digits: clips as in Seq-MNIST, of the handwritten digits in scikit-learn."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Dataset
from bench.core.errors import BenchError
from bench.core.hashing import digest
from bench.core.schema import Fraction, NonNegativeInt, PositiveInt
from bench.core.types import InputKind, Split
from bench.evaluation.protocols.words import DIGITS

if TYPE_CHECKING:
    from bench.core.components import Augmentation
    from bench.core.model_input import Input
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.sequence_of_digits import Scans, SequenceOfDigits
    from bench.evaluation.protocols import Protocol

SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
_MAX_BYTES = 2**20
"""The largest file that is unpacked: four times the size of the scans."""
SPLITS: dict[Split, tuple[int, ...]] = {
    "train": (0, 1, 2, 3, 4, 5, 6),
    "validation": (7,),
    "test": (8, 9),
}
"""The split of a scan, by the last digit of its number."""


@dataclass(frozen=True)
class SeqDigits(Dataset):
    """Sequences of four real handwritten digits, 8×8 pixels per frame; nothing to download.

    Composed of 1,797 scans from the UCI collection, which scikit-learn distributes as
    `load_digits`. Four digits give T = 4 + 3·3 + 2·2 = 17 frames.

    Attributes:
        digits: The number of digits per sequence.
        ramp: The weight of the next digit in each frame between two digits; three frames as in the
            figure of the paper.
        end_frames: The number of frames that fade the first digit in, and the last one out; two as
            in the figure.
        rounds: How often each scan is used in an epoch.

    Source: Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022), the figure
    of Seq-MNIST.
    """

    name: ClassVar[str] = "seq-digits"
    gives: ClassVar[InputKind] = "frames"

    digits: PositiveInt = 4
    ramp: tuple[Fraction, ...] = (0.3, 0.5, 0.7)
    end_frames: NonNegativeInt = 2
    rounds: PositiveInt = 4

    def __post_init__(self) -> None:
        """Raise BenchError if `end_frames` is larger than the length of the ramp."""
        if self.end_frames > len(self.ramp):
            raise BenchError(
                f"dataset 'seq-digits': end_frames = {self.end_frames} takes more values than the "
                f"{len(self.ramp)} of ramp; lower it, or lengthen the ramp"
            )

    def splits(self) -> tuple[Split, ...]:
        """Return all three splits."""
        return tuple(SPLITS)

    def fingerprint(self, split: Split) -> str:
        """Return a digest of the checksum of the scans, the split, and all parameters.

        `read_scans` compares the installed scans with this checksum.
        """
        return f"sha256:{digest([SHA256, split, asdict(self)])}"

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the label encoder of `alphabet`, else of the ten digits."""
        from bench.data.reading.label_encoder import encoder_of_alphabet

        return encoder_of_alphabet(alphabet or DIGITS)

    def open(
        self,
        model_input: Input,
        encoder: LabelEncoder,
        augmentation: Augmentation | None = None,
    ) -> SequenceOfDigits:
        """Return the pipeline of sequences; no scan is in two splits."""
        from bench.data.reading.sequence_of_digits import (
            Scheme,
            SequenceOfDigits,
            require_no_augmentation,
        )

        require_no_augmentation(self.label, augmentation)
        scheme = Scheme(self.digits, self.ramp, self.end_frames)
        return SequenceOfDigits(
            read_scans(), scheme, model_input, encoder, rounds=self.rounds, redraws=True
        )


def read_scans() -> dict[Split, Scans]:
    """Read the scans within scikit-learn without importing it, which would take seconds.

    Raises:
        BenchError: scikit-learn is not installed, or has other scans.
    """
    import numpy as np

    from bench.data.raw.gzip_files import read_gzip
    from bench.data.reading.sequence_of_digits import Scans

    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise BenchError(
            "dataset 'seq-digits' reads the scans inside scikit-learn, which is not installed; "
            "run: pip install scikit-learn"
        )
    file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    text = read_gzip(file, _MAX_BYTES) if file.exists() else b""
    if hashlib.sha256(text).hexdigest() != SHA256:
        raise BenchError(
            f"dataset 'seq-digits': {file} does not contain the 1,797 scans of this dataset; "
            "install a scikit-learn release that does, such as 1.9"
        )
    rows = np.loadtxt(text.decode().splitlines(), delimiter=",", dtype=np.uint8)
    images, labels = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    scans = Scans(images, labels, np.arange(len(rows)), full=16)
    return {
        split: scans.subset(np.isin(scans.numbers % 10, endings))
        for split, endings in SPLITS.items()
    }
