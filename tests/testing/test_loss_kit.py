"""What the contract of losses says to the usual mistakes around torch's CTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from torch.nn import functional

from bench.losses.base import FrameLoss
from bench.testing.contract import ContractError
from bench.testing.loss_kit import LossKit


@dataclass(frozen=True)
class TorchCTC(FrameLoss):
    """CTC as torch computes it."""

    name: ClassVar[str] = "torch-ctc"

    reduction: str = "mean"
    zero_infinity: bool = True
    mean_of_feasible: bool = False

    def objective(self, head, features, targets):
        losses = functional.ctc_loss(
            head(features.sequence).log_softmax(-1).transpose(0, 1),
            targets.labels,
            targets.lengths,
            targets.label_lengths,
            reduction=self.reduction,
            zero_infinity=self.zero_infinity,
        )
        return losses.where(self.feasible(targets), 0).mean() if self.mean_of_feasible else losses


def test_the_mean_of_torch_may_have_its_lengths_on_the_host():
    LossKit(TorchCTC()).devices()


@pytest.mark.parametrize("check", ["finite_loss", "infeasible_samples"])
def test_an_infinite_loss_behind_where_is_explained(check):
    kit = LossKit(TorchCTC("none", zero_infinity=False, mean_of_feasible=True))
    with pytest.raises(ContractError, match="zero_infinity=True"):
        getattr(kit, check)()
    getattr(LossKit(TorchCTC("none", mean_of_feasible=True)), check)()


def test_a_value_per_sample_is_the_same_sentence_in_all_checks():
    kit = LossKit(TorchCTC("none"))
    failed = {each.explanation for each in kit.run() if each.outcome == "failed"}
    [sentence] = failed
    assert sentence.startswith("objective() returned a value per sample; return a scalar tensor")
