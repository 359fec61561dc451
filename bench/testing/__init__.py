"""Contract kits: what bench requires of a component, checked in seconds on a CPU.

A test of a component runs its checks one by one:

    from bench.testing import loss_checks
    from my_loss import MyLoss

    @pytest.mark.parametrize("check", loss_checks(MyLoss()))
    def test_contract(check):
        check()
"""

from bench.testing.contract import Check, CheckResult, ContractError
from bench.testing.emulated_cuda import EmulatedCuda
from bench.testing.loss_kit import check_loss, loss_checks

__all__ = [
    "Check",
    "CheckResult",
    "ContractError",
    "EmulatedCuda",
    "check_loss",
    "loss_checks",
]
