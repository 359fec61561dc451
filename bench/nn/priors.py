"""A classifier that keeps the prior probability of each class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.nn.ctc_functions import valid_frames
from bench.nn.global_batch import global_sum

_MIN_LOG_PRIOR = -12.0


class PriorHead(nn.Linear):
    """A linear classifier with the label priors of Huang et al. (ICASSP 2024).

    All state is in buffers, so that a checkpoint contains it. The buffers count the frames of all
    ranks, so that checkpoints of all ranks are equal.

    Args:
        features: The feature dimension D.
        classes: The number of classes C, with the blank.

    Attributes:
        log_prior: The logarithm (C,) of the mean posterior over the frames observed in the last
            finished epoch, at least -12 as in the authors' recipe; 0 throughout the first epoch.
        total: The sum (C,) of the posteriors observed in the current epoch.
        frames: The number of frames observed in the current epoch.
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
        """Count the log-posteriors (N, T, C) of the valid frames toward the next epoch's prior."""
        valid = valid_frames(lengths, log_probs.shape[1], log_probs.device).unsqueeze(2)
        posteriors = log_probs.detach().exp().where(valid, 0)
        self.total += global_sum(posteriors.sum((0, 1), dtype=torch.float64))
        self.frames += global_sum(valid.sum())

    def end_epoch(self) -> None:
        """Make the mean posterior of this epoch the next prior; without frames, keep the prior."""
        if self.frames > 0:
            self.log_prior.copy_((self.total / self.frames).log().clamp(min=_MIN_LOG_PRIOR))
            self.total.zero_()
            self.frames.zero_()
