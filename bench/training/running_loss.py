"""The loss since the last validation, summed on the device so that no step synchronizes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bench.nn.global_batch import global_sum, ranks

_NONE = -1


class Diverged(NamedTuple):
    """The first batch whose loss was not finite.

    Attributes:
        batch: Its number since training began, from 0.
        loss: Its loss: infinite or not a number.
    """

    batch: int
    loss: float


class Reading(NamedTuple):
    """The sums since the last reset.

    Attributes:
        loss: The mean of the losses.
        infeasible: The samples whose target is longer than the output.
        diverged: The first batch whose loss was not finite, or None.
    """

    loss: float
    infeasible: int
    diverged: Diverged | None


class RunningLoss:
    """Sums losses and infeasible samples of batches on their device; only `read` synchronizes.

    In a data-parallel training the sums are those of the global batches, the same on each rank.

    Args:
        device: "cpu" or "cuda".
    """

    def __init__(self, device: str) -> None:
        self._batches = 0
        # The sums of losses and of infeasible samples, then the number and the loss of the first
        # batch that diverged. In double precision, as Python would add them.
        self._sums = torch.tensor([0.0, 0.0], dtype=torch.float64, device=device)
        self._diverged = torch.tensor([_NONE, 0.0], dtype=torch.float64, device=device)

    def add(self, loss: Tensor, infeasible: int, batch: int) -> None:
        """Add a batch.

        Args:
            loss: Its loss, a scalar; with several ranks this rank's share, whose mean over ranks is
                the loss.
            infeasible: How many of this rank's samples are infeasible.
            batch: The number of the batch since training began.
        """
        loss = loss.detach().double()
        added = torch.stack([loss, torch.full_like(loss, infeasible)])
        if ranks() > 1:
            added = global_sum(added)
            added[0] /= ranks()
        self._sums = self._sums + added
        diverges = (self._diverged[0] == _NONE) & ~added[0].isfinite()
        here = torch.stack([torch.full_like(loss, batch), added[0]])
        self._diverged = torch.where(diverges, here, self._diverged)
        self._batches += 1

    def read(self) -> Reading:
        """Return the sums since the last reset. Synchronizes with the device."""
        total, infeasible, first, value = torch.cat([self._sums, self._diverged]).tolist()
        diverged = None if first == _NONE else Diverged(int(first), value)
        return Reading(total / max(self._batches, 1), int(infeasible), diverged)

    def reset(self) -> None:
        """Start again at zero."""
        self._batches = 0
        self._sums = torch.zeros_like(self._sums)

    def state(self) -> dict[str, Tensor | int]:
        """Return what `restore` takes."""
        return {"batches": self._batches, "sums": self._sums}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        """Continue from an earlier `state`, of batches that did not diverge."""
        batches, sums = state["batches"], state["sums"]
        if not isinstance(batches, int) or not isinstance(sums, Tensor):
            raise TypeError("this is not a state of a running loss")
        self._batches = batches
        self._sums = sums.to(self._sums.device)
