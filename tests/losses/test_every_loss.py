"""Every loss of bench meets the contract of losses: a new loss is tested here by itself."""

from __future__ import annotations

import pytest
import torch

from bench.core import registry
from bench.testing import loss_checks
from bench.testing.loss_batches import FEASIBLE, Sample, both_features, make_loss_batch

LOSSES = {name: loss() for name, loss in registry.builtin("loss").items()}
VARIANTS = [
    *LOSSES.values(),
    registry.make("loss", "ce", {"teacher_forcing": 0.5, "label_smoothing": 0.1}),
    registry.make("loss", "radial-ctc", {"variant": "authors"}),
    registry.make("loss", "vac", {"auxiliary": "radial-ctc", "alignment": 0.0}),
    registry.make("loss", "vac", {"shared": True}),
]
CHECKS = [
    pytest.param(check, id=f"{loss.label}-{check.name}")
    for loss in VARIANTS
    for check in loss_checks(loss)
    # Models whose two features have different dimensions do not pair with a shared classifier.
    if (loss.label, check.name) != ("vac(shared=true)", "training")
]
MEANS_OVER_SAMPLES = sorted(LOSSES.keys() - {"ce", "conclr", "radial-ctc"})
"""Losses that divide by the samples of the batch, not by their labels."""

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


@pytest.mark.parametrize(
    ("name", "infeasible"),
    [
        (name, sample)
        for name in MEANS_OVER_SAMPLES
        for sample in (Sample(2, (1, 1)), Sample(1, (1, 2)))
        # ACE needs no blank between repeats.
        if (name, sample.frames) != ("ace", 2)
    ],
    ids=str,
)
def test_an_infeasible_sample_counts_as_a_loss_of_zero(name, infeasible):
    loss = LOSSES[name]
    batch = make_loss_batch(loss, [FEASIBLE[0], infeasible])
    values = [
        loss.objective(each.head, both_features(each.features), each.targets)
        for each in (batch, batch.rows([0]))
    ]
    torch.testing.assert_close(values[0], values[1] / 2)
