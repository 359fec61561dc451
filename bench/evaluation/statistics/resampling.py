"""Resampled sums of integers, and the exact distribution of a sum whose signs are drawn.

Only the raw bits of PCG64 are used, which NumPy promises to keep (NEP 19), and sums of integers,
which are exact in float64 in any order: the same draws on every platform and version of NumPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK = 1 << 15
"""Rows drawn at a time: arrays of 256 KB, which stay in the cache; 2 MB take twice as long."""
GRID = 1 << 14
"""Steps of the largest sum of a sign distribution; beyond, weights are rounded to fewer steps."""


class SignSums(NamedTuple):
    """The sums Σ ±w that can occur, `values` (J,), and their `probabilities` (J,)."""

    values: Floats
    probabilities: Floats


def resampled(columns: Integers, draws: int, seed: int) -> Floats:
    """Return the sums (draws, K) of `columns` (N, K) over N rows drawn with replacement.

    All columns see the same rows. One row set is drawn as how often each row occurs, so a draw of
    any number of columns is one matrix product.
    """
    samples = len(columns)
    bits = np.random.PCG64(seed)
    table = columns.astype(np.float64)
    rows = max(1, BLOCK // samples)
    sums = [
        _counts(bits, samples, min(rows, draws - start)) @ table for start in range(0, draws, rows)
    ]
    return np.concatenate(sums)


def _counts(bits: np.random.PCG64, samples: int, draws: int) -> Floats:
    """Return how often each of N rows is in each draw, (draws, N)."""
    raw = bits.random_raw(-(-samples * draws // 2)).astype("<u8", copy=False)
    halves = raw.view("<u4")[: samples * draws].astype(np.uint64)
    # 32 bits to 0…N-1 by multiplication: no row is favoured by more than N / 2^32.
    halves *= np.uint64(samples)
    halves >>= np.uint64(32)
    rows = halves.view(np.int64).reshape(draws, samples)
    rows += np.arange(draws)[:, None] * samples
    found = np.bincount(rows.ravel(), minlength=draws * samples)
    return found.reshape(draws, samples).astype(np.float64)


def normals(draws: int, seed: int) -> Floats:
    """Return (draws,) normal deviates, from other bits than `resampled` uses of the same seed."""
    raw = np.random.PCG64(seed).jumped().random_raw(draws)
    return np.asarray(ndtri(((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53))


def sign_sums(weights: Integers) -> SignSums:
    """Return the distribution of Σ ±w over all 2^N signs, from `weights` (N,) of at least 0.

    The characteristic function of the sum is Π cos(w t); its Fourier transform over the grid of
    possible sums has an error near 1e-15. Where weights are large and many, they are rounded to
    steps of which the largest sum has `GRID` or eight times N, and the variance is kept.
    """
    found, counts = np.unique(weights[weights > 0], return_counts=True)
    if not found.size:
        return SignSums(np.zeros(1), np.ones(1))
    step = np.gcd.reduce(found)
    whole = int(found @ counts) // step
    step = max(step, step * whole / max(GRID, 8 * int(counts.sum())))
    steps = np.rint(found / step).astype(np.int64)
    largest = int(steps @ counts)
    size = largest + 1
    angles = np.pi * np.arange(size // 2 + 1) / size
    spectrum = np.exp(-1j * angles * largest)
    for weight, count in zip(steps, counts, strict=True):
        spectrum *= np.cos(weight * angles) ** count
    probabilities = np.clip(np.fft.irfft(spectrum, size), 0, None)
    unit = np.sqrt(
        (found.astype(np.float64) ** 2 @ counts) / (steps.astype(np.float64) ** 2 @ counts)
    )
    return SignSums(unit * (2 * np.arange(size) - largest), probabilities)
