"""seq-mnist: clips of four MNIST digits that fade into one another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.schema import Fraction
from bench.core.types import SPLITS, InputKind, Split
from bench.data.datasets.base import PreparedDataset
from bench.data.store.prepared import combined_fingerprint, require_prepared
from bench.evaluation.protocols.words import DIGITS

if TYPE_CHECKING:
    from bench.core.components import Augmentation
    from bench.core.model_input import Input
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.sequence_of_digits import Scans, Scheme, SequenceOfDigits
    from bench.data.store.prepared import Advance, Prepared
    from bench.evaluation.protocols import Protocol

_KEPT_SHARE = 0.1
_FIRST_BALANCED = 5
"""With `unbalanced`, this share of the scans of digits below this one is kept."""
_TENTHS = tuple(tenth / 10 for tenth in range(1, 10))


@dataclass(frozen=True)
class SeqMNIST(PreparedDataset):
    """Four MNIST digits in a row: 41 frames of 32×32, nine between two digits, five at each end.

    Consecutive scans are grouped in fours, which gives 15,000 training and 2,500 test sequences.

    Attributes:
        unbalanced: Whether only one in ten training scans of the digits 0 to 4 is kept.
        transitions: `paper` has the ramp of the figure of the paper, extended to nine frames;
            `reproduction` has those of its public reproduction, which add up to only 0.9.
        held_out: The share at the end of the training scans that is used for validation and not
            for training. The paper has no validation split: with 0, validation reads 10,000
            shuffled training scans, so a recipe should then test the last epoch.

    Source: Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022).
    """

    name: ClassVar[str] = "seq-mnist"
    gives: ClassVar[InputKind] = "frames"

    unbalanced: bool = False
    transitions: Literal["paper", "reproduction"] = "paper"
    held_out: Fraction = 0.1

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Copy the IDX files of `source` after comparing them with their checksums."""
        from bench.data.raw import mnist

        return mnist.prepare_mnist(source, self.folder, advance, synthetic=self.synthetic)

    def verify(self, advance: Advance) -> list[str]:
        """Compare the files with their checksums; return a sentence per fault."""
        from bench.data.raw import mnist

        return mnist.verify_mnist(self.folder, advance)

    def splits(self) -> tuple[Split, ...]:
        """Return all three splits. Raises BenchError if the data set is not prepared."""
        require_prepared(self.prepared_name)
        return SPLITS

    def fingerprint(self, split: Split) -> str:
        """Return the fingerprint of the scans of a split and of the parameters that affect it."""
        scans = self.part_fingerprint("test" if split == "test" else "train")
        parameters: list[str] = [self.transitions]
        if split != "test":
            parameters.append(repr(self.held_out))
        if split == "train":
            parameters.append(repr(self.unbalanced))
        return combined_fingerprint([split, scans, *parameters])

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
        """Return the pipeline of sequences; splits share scans only if `held_out` is 0."""
        from bench.data.reading.sequence_of_digits import SequenceOfDigits, require_no_augmentation

        require_no_augmentation(self.label, augmentation)
        return SequenceOfDigits(
            self._read_splits(),
            self._transition_scheme(),
            model_input,
            encoder,
            rounds=1,
            redraws=False,
            shuffled=False,
        )

    def _read_splits(self) -> dict[Split, Scans]:
        """Return the scans of each split."""
        import numpy as np

        from bench.data.raw import mnist

        scans = mnist.read_mnist(self.folder)
        kept = len(scans["train"].labels) - round(self.held_out * len(scans["train"].labels))
        order = np.random.default_rng(0).permutation(kept)[:10_000]
        train = scans["train"].subset(slice(kept))
        validation = scans["train"].subset(slice(kept, None) if self.held_out else order)
        if self.unbalanced:
            drawn = np.random.default_rng(1).random(kept) < _KEPT_SHARE
            train = train.subset((train.labels >= _FIRST_BALANCED) | drawn)
        return scans | {"train": train, "validation": validation}

    def _transition_scheme(self) -> Scheme:
        from bench.data.reading.sequence_of_digits import Scheme

        if self.transitions == "paper":
            return Scheme(4, _TENTHS, 5)
        rising = (0.0, *_TENTHS[:-1])
        return Scheme(4, rising, 5, fall=_TENTHS[::-1], ends=_TENTHS[::2])
