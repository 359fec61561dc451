"""Test sets drawn from a known law, for statistics to be held against the truth."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from bench.evaluation.statistics.sample_errors import SampleErrors

LENGTHS = np.arange(1, 13)


class Law(NamedTuple):
    """Poisson edits of mean `rate` × length, times factors of mean 1.

    A sample's difficulty is log-normal with `tail`, the same for all seeds; what one seed makes of
    a sample is gamma with variance `own`; a seed's factor is normal with deviation `spread`.
    """

    samples: int
    seeds: int
    spread: float = 0
    own: float = 0.5
    rate: float = 0.05
    tail: float = 1


class Corpus(NamedTuple):
    """The lengths and difficulties of samples, (N,) each."""

    lengths: np.ndarray
    difficulty: np.ndarray


def corpus(rng: np.random.Generator, law: Law) -> Corpus:
    logs = law.tail * rng.standard_normal(law.samples)
    return Corpus(rng.choice(LENGTHS, law.samples), np.exp(logs - law.tail**2 / 2))


def read(
    rng: np.random.Generator, law: Law, test: Corpus, shared: np.ndarray | None = None
) -> SampleErrors:
    """One row's errors on `test`; its seeds' factors times those `shared` (S, 1) with others."""
    factors = 1 + law.spread * rng.standard_normal((law.seeds, 1))
    if shared is not None:
        factors = factors * shared
    own = rng.gamma(1 / law.own, law.own, (law.seeds, law.samples)) if law.own else 1.0
    mean = law.rate * test.lengths * test.difficulty * own * np.clip(factors, 0.05, None)
    return SampleErrors(names(law.samples), test.lengths, rng.poisson(mean))


@functools.cache
def names(count: int) -> tuple[str, ...]:
    return tuple(f"{number:06d}" for number in range(count))


@functools.cache
def sequence_error_rate(law: Law) -> float:
    """The rate of sequence errors, which has no formula: the mean of 2,000 seeds and corpora."""
    rng = np.random.default_rng(1)
    large = law._replace(samples=2000, seeds=20)
    return float(
        np.mean([read(rng, large, corpus(rng, large)).sequence_errors.rate for _ in range(100)])
    )
