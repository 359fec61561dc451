from __future__ import annotations

import pytest


@pytest.fixture
def evaluation(evaluations):
    """Return the evaluation of CTC under seed 0."""
    return evaluations[0]


@pytest.fixture
def training(evaluation):
    """Return the training of CTC under seed 0."""
    return evaluation.training
