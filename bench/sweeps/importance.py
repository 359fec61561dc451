"""How much each parameter mattered: fANOVA (Hutter et al., ICML 2014), as Optuna computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from bench.sweeps.distributions import distributions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.config.sweep_space import Domain
    from bench.sweeps.sweep import Params


def shares(
    domains: Mapping[str, Domain], params: Sequence[Params], values: Sequence[float]
) -> dict[str, float]:
    """Return each path's share in the variance of `values`, the largest first; they sum to 1.

    Nothing is returned where the values are too near each other to tell.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = distributions(domains)
    known = optuna.create_study()
    for one, value in zip(params, values, strict=True):
        known.add_trial(
            optuna.trial.create_trial(params=dict(one), distributions=space, value=value)
        )
    try:
        found = get_param_importances(known, evaluator=FanovaImportanceEvaluator(seed=0))
    except RuntimeError:  # None of its trees could split.
        return {}
    return {path: float(share) for path, share in found.items()}
