"""Trainings of a few steps of small networks on random clips."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bench.core.types import Batch, InputShape
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.recognizers.networks.network import build_network
from bench.training.step import TrainingStep

if TYPE_CHECKING:
    from bench.core.components import Loss, Model

_SHAPE = InputShape(1, 8, 8)
_FRAMES, _CLASSES, _STEPS = 12, 6, 3
_TARGETS = ((1, 2, 3), (4, 5), (2, 2), (), (1, 1, 2, 2, 3, 3, 4, 4))
_LENGTHS = (12, 9, 8, 6, 4)


@dataclass(frozen=True)
class SmallTraining:
    """What a training of a few steps ended with.

    Attributes:
        losses: The loss of each step.
        weights: The state of the network by name.
    """

    losses: list[float] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)

    def equals(self, other: SmallTraining) -> bool:
        """Return whether two trainings ended with the same bits."""
        return all(torch.equal(value, other.weights[name]) for name, value in self.weights.items())


def trained_twice(loss: Loss) -> tuple[SmallTraining, SmallTraining]:
    """Train a small network twice from one seed."""
    return _trained(loss), _trained(loss)


def small_model(loss: Loss) -> Model:
    """Return a small model that pairs with a loss."""
    if loss.accepts == "frames":
        return CnnBiLSTM(width=2, hidden=4)
    return CnnAttention(width=2, hidden=4, max_length=8)


def _trained(loss: Loss) -> SmallTraining:
    torch.manual_seed(0)
    network = build_network(small_model(loss), loss, _SHAPE, _CLASSES)
    step = TrainingStep(network, loss).train()
    losses = []
    for number in range(_STEPS):
        torch.manual_seed(number)
        output = step(_clips())
        step.zero_grad()
        output.loss.backward()
        _descend(step)
        losses.append(float(output.loss.detach()))
    step.end_epoch()
    return SmallTraining(losses, {name: each.clone() for name, each in step.state_dict().items()})


def _descend(module: nn.Module) -> None:
    """Take a step of plain gradient descent."""
    # torch's optimizers import its compiler, which takes ten seconds.
    with torch.no_grad():
        for weight in module.parameters():
            if weight.grad is not None:
                weight.sub_(weight.grad, alpha=0.01)


def _clips() -> Batch:
    """Return five clips: with repeats, without labels, and the last one infeasible."""
    targets = torch.zeros(len(_TARGETS), max(map(len, _TARGETS)), dtype=torch.int64)
    for row, labels in zip(targets, _TARGETS, strict=True):
        row[: len(labels)] = torch.tensor(labels, dtype=torch.int64)
    return Batch(
        inputs=torch.rand(len(_TARGETS), _FRAMES, *_SHAPE),
        lengths=torch.tensor(_LENGTHS),
        targets=targets,
        target_lengths=torch.tensor([len(labels) for labels in _TARGETS]),
        key_frames=torch.full_like(targets, -1),
        ids=tuple(f"sample-{number}" for number in range(len(_TARGETS))),
    )
