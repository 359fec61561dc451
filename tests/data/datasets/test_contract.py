"""Data sets that need no files meet the contract of data sets."""

from __future__ import annotations

import pytest

from bench.data.datasets.seq_digits import SeqDigits
from bench.testing import dataset_checks

DATASETS = [SeqDigits(), SeqDigits(digits=3, rounds=1)]
CHECKS = [
    pytest.param(check, id=f"{dataset.label}-{check.name}")
    for dataset in DATASETS
    for check in dataset_checks(dataset)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()
