"""The errors of each row, seed and sample of a test set."""

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

    Every metric has this form. If higher is better, the errors are denominators minus numerators.

    Attributes:
        ids: Ids of the samples in ascending order; empty if all rows have the same order.
        denominators: The denominators of the metric, (N,), at least 1: 1 for shares of samples,
            the length of the reference for error rates.
        errors: The errors of each seed and sample, (S, N).
        max_rate: The largest possible rate: 1 for shares, infinite for edit rates, because the
            number of insertions is unlimited.
        min_rate: The smallest possible rate. It is below 0 for a metric that is better the higher
            it is and may exceed 1.
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
        """Sequence errors: 1 per sample with any error; the rate is 1 - sequence accuracy."""
        wrong = (self.errors > 0).astype(np.int64)
        return SampleErrors(self.ids, np.ones_like(self.denominators), wrong, 1)


@dataclass(frozen=True, eq=False)
class SetErrors:
    """The errors of all rows on one test set of N samples, in the same order for all rows.

    Attributes:
        denominators: The denominators of the metric, (N,), at least 1.
        errors: Per row, the errors (S, N) of its seeds. The number of seeds S may differ between
            rows. Seed i of a row is the same training on every test set.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The smallest possible rate, see `SampleErrors`.
    """

    denominators: Integers
    errors: tuple[Integers, ...]
    max_rate: float = math.inf
    min_rate: float = 0

    def row(self, index: int) -> SampleErrors:
        """Return the errors of one row, without ids of samples."""
        return SampleErrors((), self.denominators, self.errors[index], self.max_rate, self.min_rate)


def sample_errors(
    ids: Sequence[str] | None,
    denominators: ArrayLike,
    errors: ArrayLike,
    max_rate: float = math.inf,
    min_rate: float = 0,
    *,
    signed: bool = False,
) -> SampleErrors:
    """Check the errors of one row on N samples and return them sorted by id.

    Args:
        ids: Ids of the samples, (N,); None if all rows have the same order.
        denominators: Integers (N,), at least 1.
        errors: Integers (S, N), or (N,) of a single seed.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The smallest possible rate, see `SampleErrors`.
        signed: Whether errors may be outside `min_rate` and `max_rate`, as for a metric of the
            whole corpus such as mAP, where the numerator of a sample is its jackknife influence.

    Raises:
        BenchError: There is no sample, an id occurs twice, or a shape or value is wrong.
    """
    if ids is None:
        row = set_errors(denominators, [errors], max_rate, min_rate, signed=signed)
        return row.row(0)
    names = list(ids)
    if len(set(names)) < len(names):
        raise BenchError("a sample id occurs twice; make the ids unique")
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
    """Check the errors of all rows on one test set and return them.

    Args:
        denominators: Integers (N,), at least 1.
        errors: Per row, integers (S, N), in the same order of samples.
        max_rate: The largest possible rate, see `SampleErrors`.
        min_rate: The smallest possible rate, see `SampleErrors`.
        signed: Whether errors may be outside `min_rate` and `max_rate`, see `sample_errors`.

    Raises:
        BenchError: There is no sample, or a shape or value is wrong.
    """
    below = np.asarray(denominators)
    bounds = (min_rate, max_rate)
    rows = tuple(_checked_errors(below, row, bounds, signed=signed) for row in errors)
    return SetErrors(below.astype(np.int64), rows, max_rate, min_rate)


def _checked_errors(
    denominators: np.ndarray, errors: ArrayLike, bounds: tuple[float, float], *, signed: bool
) -> Integers:
    """Return errors as integers (S, N); raise BenchError if a shape or value is wrong."""
    above = np.atleast_2d(np.asarray(errors))
    if not denominators.size:
        raise BenchError("the test set is empty; rows are compared on at least one sample")
    if above.shape != (len(above), *denominators.shape) or not len(above):
        raise BenchError(
            f"errors have the shape {above.shape}, but denominators have {denominators.shape}; "
            "give one error count per seed and denominator"
        )
    if not all(np.issubdtype(array.dtype, np.integer) for array in (above, denominators)):
        raise BenchError("errors and denominators must be integers")
    if denominators.min() < 1:
        raise BenchError("a denominator is below 1; leave out such samples")
    smallest, largest = (bound * denominators for bound in bounds)
    if not signed and ((above < smallest).any() or (above > largest).any()):
        raise BenchError(
            f"the errors of a sample must be within {bounds[0]:g} and {bounds[1]:g} × its "
            "denominator; pass signed=True for a metric of the whole corpus"
        )
    return above.astype(np.int64)


def require_same_samples(a: SampleErrors, b: SampleErrors) -> None:
    """Raise BenchError with the id of a sample unless both rows have the same samples."""
    if a.ids is not b.ids and a.ids != b.ids:
        unmatched = sorted(set(a.ids) ^ set(b.ids))
        raise BenchError(
            "rows can only be compared on the same samples: "
            f"{len(unmatched)} are in only one of them, such as '{unmatched[0]}'"
        )
    if a.denominators.shape != b.denominators.shape:
        raise BenchError(
            "rows can only be compared on the same samples: "
            f"one has {len(a.denominators):,} samples, the other {len(b.denominators):,}"
        )
    different = np.flatnonzero(a.denominators != b.denominators)
    if different.size:
        name = a.ids[different[0]] if a.ids else str(different[0])
        raise BenchError(
            "rows can only be compared on the same references: "
            f"the denominators of sample '{name}' differ"
        )
