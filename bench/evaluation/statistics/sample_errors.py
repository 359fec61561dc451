"""The errors that every seed of a row makes on each sample of a test set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bench.core.errors import BenchError
from bench.evaluation.statistics.resampling import Integers


@dataclass(frozen=True, eq=False)
class SampleErrors:
    """The errors of one row, trained with S seeds, on the N samples of one test set.

    Any metric has this form: what is better the higher it is gives denominators less numerators.

    Attributes:
        ids: Identities of the samples in ascending order; empty where the order is known to be
            that of the other rows.
        denominators: Of each sample, (N,), at least 1: 1 for shares of samples, the length of the
            reference for error rates.
        errors: Numerators of each seed and sample, (S, N).
        max_rate: The largest possible rate: 1 for shares, infinite for edit rates, as any number
            of symbols may be inserted.
        min_rate: The least possible rate: below 0 for a metric that is better the higher it is
            and may exceed 1.
    """

    ids: tuple[str, ...]
    denominators: Integers
    errors: Integers
    max_rate: float = math.inf
    min_rate: float = 0

    @property
    def rate(self) -> float:
        """Σ errors / Σ denominators, averaged over seeds."""
        return int(self.errors.sum()) / (len(self.errors) * int(self.denominators.sum()))

    @property
    def sequence_errors(self) -> SampleErrors:
        """One error per sample with any error: their rate is 1 - sequence accuracy."""
        wrong = (self.errors > 0).astype(np.int64)
        return SampleErrors(self.ids, np.ones_like(self.denominators), wrong, 1)


@dataclass(frozen=True, eq=False)
class SetErrors:
    """The errors of all rows on one test set of N samples, in the same order for all rows.

    Attributes:
        denominators: Of each sample, (N,), at least 1.
        errors: Of each row, the numerators (S, N) of its seeds. The number of seeds S may differ
            between rows. Seed i of a row is the same training in every test set.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The least possible rate.
    """

    denominators: Integers
    errors: tuple[Integers, ...]
    max_rate: float = math.inf
    min_rate: float = 0

    def row(self, place: int) -> SampleErrors:
        """Return the errors of the row at `place`, without identities of samples."""
        return SampleErrors((), self.denominators, self.errors[place], self.max_rate, self.min_rate)


def sample_errors(
    ids: Sequence[str] | None,
    denominators: ArrayLike,
    errors: ArrayLike,
    max_rate: float = math.inf,
    min_rate: float = 0,
    *,
    signed: bool = False,
) -> SampleErrors:
    """Return the errors of one row on N samples, given in any order, checked and sorted by id.

    Args:
        ids: Identities of the samples, (N,); None where the order is that of the other rows.
        denominators: Integers (N,), at least 1.
        errors: Integers (S, N), or (N,) of a single seed.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The least possible rate.
        signed: Accept errors below `min_rate` and above `max_rate`: those of a corpus statistic,
            such as mAP, of which a sample's numerator is its jackknife influence.

    Raises:
        BenchError: No samples, a repeated id, or shapes and numbers that do not fit.
    """
    if ids is None:
        row = set_errors(denominators, [errors], max_rate, min_rate, signed=signed)
        return row.row(0)
    names = list(ids)
    if len(set(names)) < len(names):
        raise BenchError("a sample id occurs twice, so its errors are ambiguous; make ids unique")
    below = np.asarray(denominators)
    checked = _checked_errors(below, errors, (min_rate, max_rate), signed=signed)
    if below.shape != (len(names),):
        raise BenchError(f"{len(names)} sample ids need as many denominators, not {below.shape}")
    order = sorted(range(len(names)), key=names.__getitem__)
    return SampleErrors(
        tuple(sorted(names)), below[order].astype(np.int64), checked[:, order], max_rate, min_rate
    )


def set_errors(
    denominators: ArrayLike,
    errors: Sequence[ArrayLike],
    max_rate: float = math.inf,
    min_rate: float = 0,
    *,
    signed: bool = False,
) -> SetErrors:
    """Return the errors of all rows on one test set, checked; see `sample_errors`.

    Args:
        denominators: Integers (N,), at least 1.
        errors: Of each row, integers (S, N) in the same order of samples.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The least possible rate.
        signed: Accept errors below `min_rate` and above `max_rate`, see `sample_errors`.

    Raises:
        BenchError: No samples, or shapes and numbers that do not fit.
    """
    below = np.asarray(denominators)
    bounds = (min_rate, max_rate)
    rows = tuple(_checked_errors(below, row, bounds, signed=signed) for row in errors)
    return SetErrors(below.astype(np.int64), rows, max_rate, min_rate)


def _checked_errors(
    denominators: np.ndarray, errors: ArrayLike, bounds: tuple[float, float], *, signed: bool
) -> Integers:
    """Return `errors` as integers (S, N), or raise BenchError."""
    above = np.atleast_2d(np.asarray(errors))
    if not denominators.size:
        raise BenchError("no samples to compare rows on: the test set is empty")
    if above.shape != (len(above), *denominators.shape) or not len(above):
        raise BenchError(
            f"each seed needs one error count per denominator: shapes are "
            f"{above.shape} and {denominators.shape}"
        )
    if not all(np.issubdtype(array.dtype, np.integer) for array in (above, denominators)):
        raise BenchError("errors and denominators must be integers")
    if denominators.min() < 1:
        raise BenchError("every denominator must be at least 1; leave out samples without one")
    least, largest = (bound * denominators for bound in bounds)
    if not signed and ((above < least).any() or (above > largest).any()):
        raise BenchError(
            f"the errors of a sample must be within {bounds[0]:g} and {bounds[1]:g} × its "
            "denominator; pass signed=True for a corpus statistic"
        )
    return above.astype(np.int64)


def require_same_samples(a: SampleErrors, b: SampleErrors) -> None:
    """Raise BenchError, naming a sample, unless both rows were tested on the same samples."""
    if a.ids is not b.ids and a.ids != b.ids:
        lone = sorted(set(a.ids) ^ set(b.ids))
        raise BenchError(
            "rows can only be compared on the same samples: "
            f"{len(lone)} are in only one of them, '{lone[0]}' first"
        )
    if a.denominators.shape != b.denominators.shape:
        raise BenchError(
            "rows can only be compared on the same samples: "
            f"they have {len(a.denominators):,} and {len(b.denominators):,}"
        )
    different = np.flatnonzero(a.denominators != b.denominators)
    if different.size:
        name = a.ids[different[0]] if a.ids else str(different[0])
        raise BenchError(
            "rows can only be compared on the same references: "
            f"sample '{name}' has another denominator in each"
        )
