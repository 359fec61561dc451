"""Every model of bench meets the contract of models: a new model is tested here by itself."""

from __future__ import annotations

import pytest
from small_components import masked_models, models

from bench.testing import model_checks

MODELS = [*models().values(), *masked_models().values()]
CHECKS = [
    pytest.param(check, id=f"{model.label}-{check.name}")
    for model in MODELS
    for check in model_checks(model)
]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


@pytest.mark.parametrize("model", masked_models().values(), ids=lambda model: model.name)
def test_masked_models_do_not_read_padding(model):
    assert not model.reads_padding
