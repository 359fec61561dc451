"""What networks that emit symbols read back: their own, or those of a teacher.

Class 0 ends a sequence. Targets (N, U) are padded with it, so padding behind a target is its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from bench.core.types import Targets

EOS = 0


class Greedy:
    """A `Feedback` of the most probable symbols, until every sequence has ended."""

    def __init__(self, head: nn.Module) -> None:
        self._head = head
        self._logits: list[Tensor] = []
        self._ended: Tensor | None = None

    def __call__(self, features: Tensor) -> Tensor | None:
        """Return the best class (N,) by features (N, D), None where all have ended."""
        self._logits.append(self._head(features))
        best = self._logits[-1].argmax(-1)
        ended = best == EOS
        self._ended = ended if self._ended is None else self._ended | ended
        return None if bool(self._ended.all()) else best

    @property
    def steps(self) -> int:
        """How often it was asked."""
        return len(self._logits)

    def logits(self) -> Tensor:
        """Return the logits (N, S, C) of all steps."""
        return torch.stack(self._logits, 1)


class TeacherForcing:
    """A `Feedback` of the target's symbols, and of the network's own for some of the steps.

    For each step anew, the whole batch is given the target with probability `rate`, else what the
    network reads (Bengio et al., "Scheduled Sampling", NeurIPS 2015, whose draw is per symbol). It
    ends with the longest target and its end.
    """

    def __init__(self, head: nn.Module, targets: Targets, rate: float) -> None:
        self._head = head
        self._truth = ended(targets, targets.labels.shape[1] + 1)
        self._rate = rate
        self._step = 0

    def __call__(self, features: Tensor) -> Tensor | None:
        """Return the class (N,) to go on from, given the features (N, D) of a step."""
        step, self._step = self._step, self._step + 1
        if self._step == self._truth.shape[1]:
            return None
        if self._rate == 1 or torch.rand(()).item() < self._rate:
            return self._truth[:, step]
        with torch.no_grad():
            best: Tensor = self._head(features).argmax(-1)
        return best


def ended(targets: Targets, steps: int) -> Tensor:
    """Return the first `steps` symbols (N, steps) of each target, EOS filling what is behind."""
    labels = targets.labels
    symbols = functional.pad(labels, (0, steps - labels.shape[1]), value=EOS)
    return symbols.masked_fill(~valid_frames(targets.label_lengths, steps), EOS)


def scored(targets: Targets, steps: int) -> Tensor:
    """Return the mask (N, steps) of the symbols and ends of the targets that fit in the lengths."""
    lengths, _, target_lengths = targets
    takes = target_lengths + 1
    return valid_frames(takes.where(takes <= lengths, 0), steps)
