"""What every seed of a row read of each sample of a test set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bench.core.errors import BenchError
from bench.evaluation.statistics.resampling import Integers


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The `errors` (S, N) of S seeds on N samples, the `lengths` (N,) of these, and their `ids`.

    Samples are in order of their ids. `rate` is Σ errors / Σ lengths, averaged over seeds: CER
    or WER of edits; and of `misread`, 1 less the sequence accuracy.
    """

    ids: tuple[str, ...]
    lengths: Integers
    errors: Integers

    @property
    def rate(self) -> float:
        """The mean over seeds of all errors over all lengths."""
        return int(self.errors.sum()) / (len(self.errors) * int(self.lengths.sum()))

    @property
    def most(self) -> float:
        """The largest rate there can be: 1 of `misread`; no limit where much may be inserted."""
        return 1 if self.lengths.max() == 1 and self.errors.max() <= 1 else math.inf

    @property
    def misread(self) -> Outcomes:
        """One error for each sample with any, and lengths of one."""
        return Outcomes(self.ids, np.ones_like(self.lengths), (self.errors > 0).astype(np.int64))


def outcomes(ids: Sequence[str], lengths: ArrayLike, errors: ArrayLike) -> Outcomes:
    """Return the outcomes of N samples: `lengths` (N,), `errors` (S, N), in any common order.

    Raises BenchError where there is no sample, one is named twice or has no length, or shapes
    or numbers cannot be.
    """
    names, shape = list(ids), (len(ids),)
    long, wrong = np.asarray(lengths), np.atleast_1d(np.asarray(errors))
    if not names:
        raise BenchError("no sample is left to compare rows on")
    if len(set(names)) < len(names):
        raise BenchError("a sample is named twice, so its errors cannot be told apart")
    if long.shape != shape or wrong.shape != (len(wrong), *shape) or not len(wrong):
        raise BenchError(
            f"{len(names)} samples need as many lengths and errors of each seed, "
            f"not {long.shape} and {wrong.shape}"
        )
    if not all(np.issubdtype(array.dtype, np.integer) for array in (long, wrong)):
        raise BenchError("errors and lengths are counts, thus integers")
    if long.min() < 1 or wrong.min() < 0:
        raise BenchError("a sample to score has a length of at least 1 and no fewer errors than 0")
    order = sorted(range(len(names)), key=names.__getitem__)
    return Outcomes(
        tuple(sorted(names)),
        long[order].astype(np.int64),
        wrong[:, order].astype(np.int64),
    )


def same_samples(a: Outcomes, b: Outcomes) -> None:
    """Raise BenchError, with a sample's name, unless both rows were tested on the same samples."""
    lone = sorted(set(a.ids) ^ set(b.ids))
    if lone:
        raise BenchError(
            "rows can only be compared on the same samples: "
            f"{len(lone)} are in one of them alone, '{lone[0]}' first"
        )
    other = np.flatnonzero(a.lengths != b.lengths)
    if other.size:
        raise BenchError(
            "rows can only be compared on the same references: "
            f"sample '{a.ids[other[0]]}' has other lengths in each"
        )
