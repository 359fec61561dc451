"""Bootstrap sums of integers, and the distribution of a sum with random signs.

The draws are the same on every platform and with every version of NumPy. They use the raw bits of
PCG64, which NumPy guarantees to keep (NEP 19), and sums of integers, which are exact in float64 in
any order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DRAW_BLOCK = 1 << 15
"""Elements drawn at a time: arrays of 256 KB stay in the cache; with 2 MB, drawing takes twice as
long."""
PRODUCT_BLOCK = 1 << 20
"""Elements per matrix product: with fewer, the BLAS threads on a busy machine mostly wait for each
other (22 s instead of 0.8 s)."""
MAX_UNITS = 1 << 13
"""Largest number of units that are resampled; more samples are first summed in this many groups.
The variance of the bootstrap then has a relative standard deviation of 1.6 %."""
MAX_GRID = 1 << 14
"""Largest number of steps on the grid of a sign distribution, unless eight times the number of
weights is larger. Weights that need a finer grid are rounded."""
MAX_TERMS = 1 << 22
"""Largest number of terms of the characteristic function of a sign distribution: 50 ms."""
MIN_NORMAL = 500
"""Effective number of weights, (Σ w²)² / Σ w⁴, from which a sum with random signs is regarded as
normal: tail probabilities are then within 4 % up to four standard deviations."""


class SignSums(NamedTuple):
    """The distribution of Σ ±w over random signs.

    Attributes:
        values: The J possible sums, (J,).
        probabilities: The probability of each sum, (J,).
    """

    values: Floats
    probabilities: Floats


def resampled_sums(columns: Integers, draws: int, seed: int) -> Floats:
    """Return bootstrap sums of columns: sums over N rows drawn with replacement.

    All columns share the drawn rows. A draw is stored as the number of times that each row occurs,
    so that the sums of all columns are one matrix product. More than `MAX_UNITS` rows are first
    summed in that many random groups, which are drawn instead of rows. This does not change the
    expected variance and skewness of a sum.

    Args:
        columns: Integers (N, K).
        draws: The number of bootstrap draws.
        seed: Seed of the draws and of the groups.

    Returns:
        The sums, (draws, K).
    """
    table = _grouped(columns, seed).astype(np.float64)
    units = len(table)
    bits = np.random.PCG64(seed)
    rows = max(1, DRAW_BLOCK // units)
    block = rows * max(1, PRODUCT_BLOCK // (rows * units))
    counts = np.empty((min(block, draws), units))
    sums = np.empty((draws, table.shape[1]))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        for row in range(0, size, rows):
            stop = min(row + rows, size)
            counts[row:stop] = _counts(bits, units, stop - row)
        np.matmul(counts[:size], table, out=sums[start : start + size])
    return sums


def _grouped(columns: Integers, seed: int) -> Integers:
    """Return sums over random groups of nearly equal sizes, (G, K); few rows are not grouped."""
    samples = len(columns)
    if samples <= MAX_UNITS:
        return columns
    raw = np.random.PCG64(seed).jumped(2).random_raw(samples)
    ends = np.arange(MAX_UNITS) * samples // MAX_UNITS
    return np.add.reduceat(columns[np.argsort(raw, kind="stable")], ends, axis=0)


def _counts(bits: np.random.PCG64, units: int, draws: int) -> Floats:
    """Return the number of times that each of `units` rows occurs in each draw, (draws, units)."""
    raw = bits.random_raw(-(-units * draws // 2)).astype("<u8", copy=False)
    halves = raw.view("<u4")[: units * draws].astype(np.uint64)
    # Multiplication maps 32 bits to 0…N-1; the probabilities of rows differ by at most N / 2^32
    # relatively.
    halves *= np.uint64(units)
    halves >>= np.uint64(32)
    rows = halves.view(np.int64).reshape(draws, units)
    rows += np.arange(draws)[:, None] * units
    counts = np.bincount(rows.ravel(), minlength=draws * units)
    return counts.reshape(draws, units).astype(np.float64)


def normal_deviates(draws: int, seed: int) -> Floats:
    """Return normal deviates (draws,), independent of `resampled_sums` with the same seed."""
    raw = np.random.PCG64(seed).jumped().random_raw(draws)
    return np.asarray(ndtri(((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53))


def sign_sums(weights: Integers) -> SignSums:
    """Return the distribution of Σ ±w over all 2^N combinations of signs.

    The characteristic function of the sum is Π cos(w t); its Fourier transform over the grid of
    possible sums has an error near 1e-15. Weights that need a grid of more than `MAX_GRID` steps
    (or 8 N, if that is more) are rounded to that many, and the variance is restored. If this is
    still slow and the effective number of weights is at least `MIN_NORMAL`, the result is a normal
    distribution.

    Args:
        weights: Integers (N,), at least 0.
    """
    sizes, counts = np.unique(weights[weights > 0], return_counts=True)
    if not sizes.size:
        return SignSums(np.zeros(1), np.ones(1))
    squares = sizes.astype(np.float64) ** 2
    step = np.gcd.reduce(sizes)
    whole = int(sizes @ counts) // step
    step = max(step, step * whole / max(MAX_GRID, 8 * int(counts.sum())))
    steps, merged_into = np.unique(np.rint(sizes / step).astype(np.int64), return_inverse=True)
    merged = np.bincount(merged_into, counts)
    largest = int(steps @ merged)
    size = largest + 1
    effective = float(squares @ counts) ** 2 / float(squares**2 @ counts)
    if effective >= MIN_NORMAL and len(steps) * size > MAX_TERMS:
        return _normal_sums(float(squares @ counts) ** 0.5)
    angles = np.pi * np.arange(size // 2 + 1) / size
    spectrum = np.exp(-1j * angles * largest)
    for weight, count in zip(steps, merged, strict=True):
        spectrum *= np.cos(weight * angles) ** count
    probabilities = np.clip(np.fft.irfft(spectrum, size), 0, None)
    unit = np.sqrt((squares @ counts) / (steps.astype(np.float64) ** 2 @ merged))
    return SignSums(unit * (2 * np.arange(size) - largest), probabilities)


def _normal_sums(deviation: float) -> SignSums:
    """Return a normal distribution with the standard deviation `deviation`, in 4,001 cells."""
    values = np.linspace(-8, 8, 4001)
    edges = np.concatenate([[-np.inf], (values[:-1] + values[1:]) / 2, [np.inf]])
    return SignSums(deviation * values, np.diff(ndtr(edges)))
