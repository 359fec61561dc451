"""The space of a sweep as Optuna's distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.config.sweep_space import Domain


def distributions(domains: Mapping[str, Domain]) -> dict[str, BaseDistribution]:
    """Return the distribution of each path."""
    return {path: _distribution(domain) for path, domain in domains.items()}


def _distribution(domain: Domain) -> BaseDistribution:
    if domain.kind == "choice":
        return CategoricalDistribution(domain.values)
    if domain.kind == "randint":
        return IntDistribution(*domain.extremes)
    low, high = domain.values
    return FloatDistribution(low, high, log=domain.kind == "loguniform")
