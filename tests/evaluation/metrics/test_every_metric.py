"""Every metric of bench meets the contract of metrics: a new metric is tested here by itself."""

from __future__ import annotations

import pytest

from bench.evaluation.metrics import all_metrics
from bench.testing import metric_checks

CHECKS = [
    pytest.param(check, id=f"{name}-{check.name}")
    for name, metric in all_metrics().items()
    for check in metric_checks(metric)
    # The counts of a sample of a whole corpus depend on the others.
    if not (metric.whole_corpus and check.name == "batches")
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()
