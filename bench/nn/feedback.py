"""Feedback of autoregressive networks: their own predictions, or the target (teacher forcing).

Class 0 is the end of sequence (EOS). Labels (N, U) are padded with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.nn.ctc_functions import valid_frames
from bench.nn.global_batch import from_rank_0, global_max, ranks

if TYPE_CHECKING:
    from bench.core.types import Targets

EOS = 0
STEPS_PER_READ = 8
"""The number of steps after which greedy feedback on a GPU tests whether all sequences ended."""


class Greedy:
    """A `Feedback` of the most probable classes, until every sequence has ended.

    Testing whether all have ended synchronizes with the device. On a GPU this is done every
    `STEPS_PER_READ` steps, and steps after the end are dropped from the logits; on the CPU, where
    it is free, after every step.

    Args:
        head: The classifier, from features (N, D) to logits (N, C).
        interval: The number of steps between two tests; None: as stated above.
    """

    def __init__(self, head: nn.Module, interval: int | None = None) -> None:
        self._head = head
        self._interval = interval
        self._logits: list[Tensor] = []
        self._ended: Tensor | None = None
        self._unfinished: Tensor | None = None
        self._needed: int | None = None

    def __call__(self, features: Tensor) -> Tensor | None:
        """Return the most probable class (N,) for features (N, D), or None if all have ended."""
        self._logits.append(self._head(features))
        best = self._logits[-1].argmax(-1)
        ended = best == EOS
        self._ended = ended if self._ended is None else self._ended | ended
        # After how many steps some sequence had not ended.
        running = (~self._ended.all()).long()
        self._unfinished = running if self._unfinished is None else self._unfinished + running
        interval = self._interval or (1 if features.device.type == "cpu" else STEPS_PER_READ)
        if self.steps % interval == 0 and (needed := int(self._unfinished) + 1) <= self.steps:
            self._needed = needed
            return None
        return best

    @property
    def steps(self) -> int:
        """How many steps it has classified."""
        return len(self._logits)

    def logits(self) -> Tensor:
        """Return the logits (N, S, C) of the steps up to the one at which all had ended."""
        if self._needed is None:
            self._needed = int(cast("Tensor", self._unfinished)) + 1
        return torch.stack(self._logits[: self._needed], 1)


class TeacherForcing:
    """A `Feedback` of the target's labels, at some steps of the network's own predictions.

    It ends after the longest target and its EOS. With a rate below 1, one draw per step decides
    for the whole batch; Bengio et al., "Scheduled Sampling" (NeurIPS 2015), draw per label.

    Args:
        head: The classifier, from features (N, D) to logits (N, C).
        targets: The labels of the batch.
        rate: The probability that a step receives the target.
    """

    def __init__(self, head: nn.Module, targets: Targets, rate: float) -> None:
        self._head = head
        self._classes = with_eos(targets, targets.labels.shape[1] + 1)
        self._rate = rate
        self._step = 0
        self._draws: Tensor | None = None
        if ranks() > 1 and rate < 1:
            # All ranks decide alike at each step, though their longest targets may differ.
            longest = global_max(targets.labels.shape[1])
            self._draws = from_rank_0(torch.rand(longest))

    def __call__(self, features: Tensor) -> Tensor | None:
        """Return the class (N,) that the next step receives, after features (N, D) of this one."""
        step, self._step = self._step, self._step + 1
        if self._step == self._classes.shape[1]:
            return None
        if self._rate == 1 or self._draw(step) < self._rate:
            return self._classes[:, step]
        with torch.no_grad():
            best: Tensor = self._head(features).argmax(-1)
        return best

    def _draw(self, step: int) -> float:
        drawn: float = (torch.rand(()) if self._draws is None else self._draws[step]).item()
        return drawn


def with_eos(targets: Targets, steps: int) -> Tensor:
    """Return the first `steps` labels (N, steps) of each target, followed by EOS."""
    labels = targets.labels
    padded = functional.pad(labels, (0, steps - labels.shape[1]), value=EOS)
    return padded.masked_fill(~valid_frames(targets.label_lengths, steps, labels.device), EOS)


def scored_steps(targets: Targets, steps: int) -> Tensor:
    """Return the mask (N, steps) of the labels and EOS that a loss scores: of feasible targets."""
    lengths, labels, label_lengths = targets
    needed = label_lengths + 1
    return valid_frames(needed.where(needed <= lengths, 0), steps, labels.device)
