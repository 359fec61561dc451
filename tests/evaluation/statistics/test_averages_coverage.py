"""Coverage of intervals and error rates of rank intervals on simulated test sets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from corpora import Law, corpus, read

from bench.evaluation.statistics import confidence
from bench.evaluation.statistics.averages import compare_entries
from bench.evaluation.statistics.resampling import resampled_sums
from bench.evaluation.statistics.sample_errors import SetErrors

SIZES = {"large": (1200, 600, 500, 400, 250, 150), "small": (150, 100, 50)}
RATES = (0.04, 0.02, 0.03, 0.09, 0.08, 0.05)
DRAWS = 1000


class Case(NamedTuple):
    """S seeds of each of `rows` equal rows on test sets of `sizes`.

    A seed's factor is normal, of deviation `spread` for all sets and `spread` again for each set.
    """

    sizes: str
    rows: int
    seeds: int
    spread: float = 0

    def sets(self, rng: np.random.Generator, slower: float = 1) -> list[SetErrors]:
        """Draw errors of equal rows; the last has `slower` times the rate of others."""
        shared = [1 + self.spread * rng.standard_normal((self.seeds, 1)) for _ in range(self.rows)]
        shared[-1] = shared[-1] * slower
        drawn = []
        for samples, rate in zip(SIZES[self.sizes], RATES, strict=False):
            law = Law(samples, self.seeds, self.spread, rate=rate)
            test = corpus(rng, law)
            rows = tuple(read(rng, law, test, factors).errors for factors in shared)
            drawn.append(SetErrors(test.lengths, rows))
        return drawn

    def true_averages(self) -> tuple[float, float]:
        """The weighted and the plain average of the rates."""
        sizes = SIZES[self.sizes]
        rates = RATES[: len(sizes)]
        return float(np.average(rates, weights=sizes)), float(np.mean(rates))


CASES = [
    Case(sizes, 6, seeds, spread)
    for sizes in SIZES
    for seeds in (1, 2, 3, 5)
    for spread in ((0, 0.05, 0.15) if seeds > 1 else (0,))
]


@pytest.fixture(autouse=True)
def _same_draws(monkeypatch):
    """Draw the resamples once for all corpora, because they do not depend on them."""
    counts = {}

    def shared(columns, draws, seed):
        key = (len(columns), seed)
        if key not in counts:
            counts[key] = resampled_sums(np.eye(len(columns), dtype=np.int64), draws, seed)
        return counts[key] @ columns

    monkeypatch.setattr(confidence, "resampled_sums", shared)


def measure(case, corpora):
    """Return the coverage of both averages, and the share of corpora with a false rank."""
    rng = np.random.default_rng(0)
    expected = case.true_averages()
    hits, false = np.zeros(2), 0
    for _ in range(corpora):
        entries = compare_entries(case.sets(rng), "weighted", draws=DRAWS)
        for entry in entries:
            intervals = (entry.weighted, entry.mean)
            hits += [i.low <= rate <= i.high for i, rate in zip(intervals, expected, strict=True)]
        false += any(entry.rank_interval != (1, case.rows) for entry in entries)
    return (*(hits / corpora / case.rows), false / corpora)


@pytest.mark.slow
@pytest.mark.parametrize("case", [Case("small", 4, 1), Case("small", 4, 3, 0.05)])
def test_averages_and_ranks_have_their_level(case):
    weighted, mean, false = measure(case, 100)
    assert weighted == pytest.approx(0.95, abs=0.035)
    assert mean == pytest.approx(0.95, abs=0.035)
    assert false <= 0.05 + 3 * 0.022


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_averages_and_ranks_have_their_level_in_many_corpora(case, record_property):
    weighted, mean, false = measure(case, {"small": 500, "large": 200}[case.sizes])
    record_property("measured", f"{case}: {weighted:.1%} {mean:.1%} {false:.1%}")
    # The tolerance is the sampling error; docs/explanation/statistics.md has the coverage.
    assert 0.93 - 0.02 <= weighted <= 0.97 + 0.02
    assert 0.93 - 0.02 <= mean <= 0.97 + 0.02
    assert false <= 0.05 + 0.03
