"""seq-mnist: four MNIST digits fading into one another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.schema import Share
from bench.core.types import InputKind, InputPipeline
from bench.data.datasets.base import PreparedDataset

if TYPE_CHECKING:
    from bench.data.reading.sequence_of_digits import Scheme
    from bench.data.store.prepared import Advance, Prepared

_RATE = 0.1
_RARE = 5
_TENTHS = tuple(tenth / 10 for tenth in range(1, 10))


@dataclass(frozen=True)
class SeqMNIST(PreparedDataset):
    """Four MNIST digits in a row: 41 frames of 32×32, nine between two digits, five at each end.

    Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022): consecutive scans
    in groups of four, 15,000 sequences to train and 2,500 to test on. `unbalanced` keeps one in ten
    of the training scans of 0 to 4. `transitions` are those of the paper's figure, its ramp carried
    on to nine frames, or those of its public reproduction, whose weights add up to 0.9 only.

    The share `held_out` at the end of the training scans is for validation, and not trained on. The
    paper has none: with 0, validation shuffles 10,000 scans that were trained on, so that a recipe
    should then test the last epoch.
    """

    name: ClassVar[str] = "seq-mnist"
    gives: ClassVar[InputKind] = "frames"
    protocol: ClassVar[str] = "digits"

    unbalanced: bool = False
    transitions: Literal["paper", "reproduction"] = "paper"
    held_out: Share = 0.1

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Copy the IDX files of `source`, held against their checksums."""
        from bench.data.raw import mnist

        return mnist.prepare(source, self.folder, advance, synthetic=self.synthetic)

    def verify(self, advance: Advance) -> list[str]:
        """Hold the files against their checksums."""
        from bench.data.raw import mnist

        return mnist.verify(self.folder, advance)

    def build(self) -> InputPipeline:
        """Read the scans; splits share one only where nothing is held out."""
        import numpy as np

        from bench.data.raw import mnist
        from bench.data.reading.sequence_of_digits import SequenceOfDigits

        scans = mnist.scans(self.folder)
        kept = len(scans["train"].labels) - round(self.held_out * len(scans["train"].labels))
        order = np.random.default_rng(0).permutation(kept)[:10_000]
        train = scans["train"].of(slice(kept))
        validation = scans["train"].of(slice(kept, None) if self.held_out else order)
        if self.unbalanced:
            drawn = np.random.default_rng(1).random(kept) < _RATE
            train = train.of((train.labels >= _RARE) | drawn)
        scans |= {"train": train, "validation": validation}
        return SequenceOfDigits(scans, self._scheme(), rounds=1, redraw=False, shuffled=False)

    def _scheme(self) -> Scheme:
        from bench.data.reading.sequence_of_digits import Scheme

        if self.transitions == "paper":
            return Scheme(4, _TENTHS, 5)
        rising = (0.0, *_TENTHS[:-1])
        return Scheme(4, rising, 5, fall=_TENTHS[::-1], ends=_TENTHS[::2])
