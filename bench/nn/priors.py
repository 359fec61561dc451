"""A classifier that knows how often it said each class."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from bench.nn.ctc_functions import valid_frames

_LEAST = -12.0


class PriorHead(nn.Linear):
    """A linear classifier with the label priors of Huang et al. (ICASSP 2024).

    `log_prior` (C,) is the logarithm of its mean posterior over all frames that it was shown in the
    last epoch, at least -12 as in the authors' recipe, and 0 throughout the first epoch. An epoch
    ends where training mode does. All of it is in buffers, so that a checkpoint holds it.
    """

    log_prior: Tensor
    total: Tensor
    frames: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__(features, classes)
        self.register_buffer("log_prior", torch.zeros(classes))
        # In double precision: an epoch has millions of frames.
        self.register_buffer("total", torch.zeros(classes, dtype=torch.float64))
        self.register_buffer("frames", torch.zeros((), dtype=torch.int64))

    def observe(self, log_probs: Tensor, lengths: Tensor) -> None:
        """Count the posteriors (N, T, C) of the valid frames towards the next epoch's prior."""
        valid = valid_frames(lengths, log_probs.shape[1]).unsqueeze(2)
        shown = log_probs.detach().exp().where(valid, 0)
        self.total += shown.sum((0, 1), dtype=torch.float64)
        self.frames += valid.sum()

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 (torch's signature)
        """Set the mode; where training ends, what was observed becomes the prior."""
        if self.training and not mode and self.frames > 0:
            self.log_prior.copy_((self.total / self.frames).log().clamp(min=_LEAST))
            self.total.zero_()
            self.frames.zero_()
        return super().train(mode)
