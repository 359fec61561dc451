"""seq-mnist: four MNIST digits fading into one another."""

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

_RATE = 0.1
_RARE = 5
_TENTHS = tuple(tenth / 10 for tenth in range(1, 10))


@dataclass(frozen=True)
class SeqMNIST(PreparedDataset):
    """Four MNIST digits in a row: 41 frames of 32×32, nine between two digits, five at each end.

    Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022): consecutive scans
    in groups of four, 15,000 sequences to train and 2,500 to test on.

    Attributes:
        unbalanced: Whether one in ten of the training scans of 0 to 4 is kept, and nine are not.
        transitions: Those of the paper's figure, its ramp carried on to nine frames, or those of
            its public reproduction, whose weights add up to 0.9 only.
        held_out: The share at the end of the training scans that is for validation and not trained
            on. The paper has none: with 0, validation shuffles 10,000 scans that were trained on,
            so that a recipe should then test the last epoch.
    """

    name: ClassVar[str] = "seq-mnist"
    gives: ClassVar[InputKind] = "frames"

    unbalanced: bool = False
    transitions: Literal["paper", "reproduction"] = "paper"
    held_out: Fraction = 0.1

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Copy the IDX files of `source`, compared with their checksums."""
        from bench.data.raw import mnist

        return mnist.prepare(source, self.folder, advance, synthetic=self.synthetic)

    def verify(self, advance: Advance) -> list[str]:
        """Compare the files with their checksums."""
        from bench.data.raw import mnist

        return mnist.verify(self.folder, advance)

    def splits(self) -> tuple[Split, ...]:
        """Return all three splits. Raises BenchError where it is not prepared."""
        require_prepared(self.prepared_name)
        return SPLITS

    def fingerprint(self, split: Split) -> str:
        """Return the digest of the scans of a split and of the parameters that compose it."""
        scans = self.part_fingerprint("test" if split == "test" else "train")
        parameters: list[str] = [self.transitions]
        if split != "test":
            parameters.append(repr(self.held_out))
        if split == "train":
            parameters.append(repr(self.unbalanced))
        return combined_fingerprint([split, scans, *parameters])

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the encoder of the ten digits, or of an alphabet that has them."""
        from bench.data.reading.label_encoder import encoder_of_alphabet

        return encoder_of_alphabet(alphabet or DIGITS)

    def open(
        self,
        model_input: Input,
        encoder: LabelEncoder,
        augmentation: Augmentation | None = None,
    ) -> SequenceOfDigits:
        """Read the scans; splits share one only where nothing is held out."""
        from bench.data.reading.sequence_of_digits import SequenceOfDigits, require_no_augmentation

        require_no_augmentation(self.label, augmentation)
        return SequenceOfDigits(
            self._scans(),
            self._scheme(),
            model_input,
            encoder,
            rounds=1,
            redraws=False,
            shuffled=False,
        )

    def _scans(self) -> dict[Split, Scans]:
        """Return the scans of each split."""
        import numpy as np

        from bench.data.raw import mnist

        scans = mnist.scans(self.folder)
        kept = len(scans["train"].labels) - round(self.held_out * len(scans["train"].labels))
        order = np.random.default_rng(0).permutation(kept)[:10_000]
        train = scans["train"].of(slice(kept))
        validation = scans["train"].of(slice(kept, None) if self.held_out else order)
        if self.unbalanced:
            drawn = np.random.default_rng(1).random(kept) < _RATE
            train = train.of((train.labels >= _RARE) | drawn)
        return scans | {"train": train, "validation": validation}

    def _scheme(self) -> Scheme:
        from bench.data.reading.sequence_of_digits import Scheme

        if self.transitions == "paper":
            return Scheme(4, _TENTHS, 5)
        rising = (0.0, *_TENTHS[:-1])
        return Scheme(4, rising, 5, fall=_TENTHS[::-1], ends=_TENTHS[::2])
