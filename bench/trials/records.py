"""What tasks leave on disk, as typed documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One point of a training curve.

    Attributes:
        epoch: Its number, from 1.
        loss: The mean over the epoch's batches.
        learning_rate: That of the epoch's last step.
        validation_ler: The label error rate on the validation split: edits of greedily decoded
            labels over target labels (Graves et al., ICML 2006).
        infeasible: Training samples whose target is longer than the output; they add nothing.
    """

    epoch: int
    loss: float
    learning_rate: float
    validation_ler: float
    infeasible: int = 0
