from __future__ import annotations

import math

import numpy as np
import pytest
from corpora import Law, corpus, read
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.evaluation.statistics.sample_errors import sample_errors
from bench.evaluation.statistics.variance import (
    EstimatedVariance,
    Variance,
    variance_of_difference,
    variance_of_rate,
    variance_of_samples,
)


def test_one_seed_of_equal_lengths_has_the_variance_of_a_mean():
    errors = np.array([3, 0, 1, 0, 7, 2])
    estimate = variance_of_rate(sample_errors("abcdef", [1] * 6, errors[None]))
    assert estimate.total == pytest.approx(errors.var(ddof=1) / 6)
    assert estimate.seeds is None
    kurtosis = stats.kurtosis(errors, fisher=False)
    assert estimate.samples.degrees_of_freedom == pytest.approx(12 / (kurtosis - 1))


def test_seeds_without_a_common_error_have_the_variance_of_their_scores():
    errors = np.array([[4, 0, 0, 3], [0, 1, 2, 0]])
    estimate = variance_of_rate(sample_errors("abcd", [1] * 4, errors))
    assert estimate.samples.value == 0
    assert estimate.total == pytest.approx(errors.mean(axis=1).var(ddof=1) / 2)
    assert estimate.quantile(1.96) == pytest.approx(stats.t(1).isf(stats.norm.sf(1.96)))


def test_parts_equal_those_of_the_analysis_of_variance():
    errors = np.random.default_rng(0).poisson(3, (3, 40)) + np.arange(40)
    estimate = variance_of_rate(sample_errors([f"{i:02}" for i in range(40)], [1] * 40, errors))
    means, scores = errors.mean(axis=0), errors.mean(axis=1)
    own = errors - means - scores[:, None] + errors.mean()
    by_sample, by_seed = 3 * means.var(ddof=1), 40 * scores.var(ddof=1)
    residual = (own**2).sum() / (2 * 39)
    assert estimate.total == pytest.approx((by_sample + by_seed - residual) / (3 * 40))
    assert estimate.seeds.value == pytest.approx(by_seed / (3 * 40))
    assert estimate.seeds.degrees_of_freedom == 2


def test_the_estimate_equals_the_variance_of_repeated_trials():
    rng = np.random.default_rng(0)
    law = Law(400, 5, spread=0.1)
    rows = [read(rng, law, corpus(rng, law)) for _ in range(800)]
    observed = np.var([row.rate for row in rows], ddof=1)
    assert np.mean([variance_of_rate(row).total for row in rows]) == pytest.approx(
        observed, rel=0.15
    )


def test_a_row_of_one_seed_gets_the_seed_variance_of_the_other():
    rng = np.random.default_rng(0)
    law = Law(200, 4, spread=0.2)
    test = corpus(rng, law)
    many, single = read(rng, law, test), read(rng, law._replace(seeds=1), test)
    estimate, other = variance_of_difference(many, single), variance_of_rate(many)
    assert estimate.seeds.value == pytest.approx(other.seeds.value * 5)
    assert estimate.seeds.degrees_of_freedom == 3
    assert variance_of_difference(single, many) == estimate


def test_the_seed_variances_of_two_rows_add_up():
    rng = np.random.default_rng(0)
    law = Law(200, 4, spread=0.2)
    test = corpus(rng, law)
    a, b = read(rng, law, test), read(rng, law._replace(seeds=2), test)
    first, second = variance_of_rate(a).seeds, variance_of_rate(b).seeds
    estimate = variance_of_difference(a, b).seeds
    assert estimate.value == pytest.approx(first.value + second.value)
    below = first.value**2 / 3 + second.value**2
    assert estimate.degrees_of_freedom == pytest.approx(estimate.value**2 / below)


def test_residuals_from_rounding_are_no_variance():
    below = np.array([3, 7, 11])
    assert variance_of_samples([0.1 * below - 0.3 / 3 * below], [below], [1]) == EstimatedVariance(
        0
    )
    assert variance_of_rate(sample_errors("ab", [1, 3], [[1, 3], [1, 3]])).total == 0


@settings(max_examples=100)
@given(
    st.floats(0, 9),
    st.floats(0, 10),
    st.floats(0.001, 10),
    st.sampled_from([1, 2, 4, math.inf]),
)
def test_normal_deviate_is_the_inverse_of_quantile(z, samples, seeds, freedom):
    estimate = Variance(EstimatedVariance(samples), EstimatedVariance(seeds, freedom))
    assert estimate.quantile(z) >= z - 1e-9
    assert estimate.normal_deviate(estimate.quantile(z)) == pytest.approx(z, rel=1e-6, abs=1e-6)
    assert estimate.quantile(-z) == -estimate.quantile(z)


@pytest.mark.parametrize("freedom", [1, 2, 4])
def test_quantiles_have_their_level_for_any_ratio_of_the_parts(freedom):
    # Normal theory, by quadrature: the seeds' variance is estimated, that of the samples is known.
    scale = stats.chi2(freedom).isf((np.arange(500) + 0.5) / 500) / freedom
    for ratio in np.logspace(-2, 3, 16):
        reach = [
            estimate.quantile(1.959964) * estimate.total**0.5 / (1 + ratio) ** 0.5
            for estimate in (
                Variance(EstimatedVariance(1), EstimatedVariance(ratio * s, freedom)) for s in scale
            )
        ]
        assert 0.93 < (2 * stats.norm.cdf(reach) - 1).mean() < 0.97
