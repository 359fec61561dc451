"""Contract kits: what bench requires of a component, checked in seconds on a CPU.

A test of a component runs its checks one by one:

    import pytest

    from bench.testing import loss_checks
    from my_loss import MyLoss

    @pytest.mark.parametrize("check", loss_checks(MyLoss()))
    def test_contract(check):
        check()

`check_loss` and its like return the result of every check, with notes such as speeds. `bench check`
prints them. `bench docs testing` lists what each kind of component has to do.
"""

from bench.testing.augmentation_kit import augmentation_checks, check_augmentation
from bench.testing.contract import Check, CheckResult, ContractError
from bench.testing.dataset_kit import check_dataset, dataset_checks
from bench.testing.decoder_kit import check_decoder, decoder_checks
from bench.testing.emulated_cuda import EmulatedCuda
from bench.testing.kits import check_component
from bench.testing.loss_kit import check_loss, loss_checks
from bench.testing.metric_kit import check_metric, metric_checks
from bench.testing.model_kit import check_model, model_checks
from bench.testing.recognizer_kit import check_recognizer, recognizer_checks

__all__ = [
    "Check",
    "CheckResult",
    "ContractError",
    "EmulatedCuda",
    "augmentation_checks",
    "check_augmentation",
    "check_component",
    "check_dataset",
    "check_decoder",
    "check_loss",
    "check_metric",
    "check_model",
    "check_recognizer",
    "dataset_checks",
    "decoder_checks",
    "loss_checks",
    "metric_checks",
    "model_checks",
    "recognizer_checks",
]
