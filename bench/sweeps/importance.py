"""The importance of each parameter: fANOVA (Hutter et al., ICML 2014) as Optuna computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from bench.sweeps.distributions import distributions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.config.sweep_space import Domain
    from bench.sweeps.sweep import Params


def variance_shares(
    domains: Mapping[str, Domain], points: Sequence[Params], values: Sequence[float]
) -> dict[str, float]:
    """Return each parameter's share in the variance of `values`, the largest first; they sum to 1.

    Empty where the values differ too little.

    Args:
        domains: The space by path.
        points: The parameters of each trial.
        values: The score of each trial.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = distributions(domains)
    study = optuna.create_study()
    for point, value in zip(points, values, strict=True):
        study.add_trial(
            optuna.trial.create_trial(params=dict(point), distributions=space, value=value)
        )
    try:
        shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    except RuntimeError:  # None of its trees could split.
        return {}
    return {path: float(share) for path, share in shares.items()}
