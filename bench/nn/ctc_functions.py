"""CTC by torch's native kernels, and functions that the CTC losses share."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.types import Targets
from bench.nn.global_batch import sample_mean

BLANK = 0


def valid_frames(lengths: Tensor, frames: int, device: torch.device | None = None) -> Tensor:
    """Return the mask (N, T) of frames before each length (N,).

    It is on `device`, to which lengths on the host are copied without synchronization; by default
    on the device of the lengths.
    """
    if device is not None:
        lengths = lengths.to(device, non_blocking=True)
    return torch.arange(frames, device=lengths.device) < lengths.unsqueeze(1)


def feasible(lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """Return whether each target (N,) is CTC-feasible: T ≥ U plus one blank per repeated label.

    The result is on the device of the labels.
    """
    spare = (lengths - label_lengths).to(labels.device, non_blocking=True)
    repeats = labels[:, 1:] == labels[:, :-1]
    inside = valid_frames(label_lengths - 1, repeats.shape[1], labels.device)
    return spare >= (repeats & inside).sum(1)


def aligned_frames(targets: Targets, frames: int) -> Tensor:
    """Return the mask (N, T) of the valid frames of feasible targets, on the labels' device."""
    valid = valid_frames(targets.lengths, frames, targets.labels.device)
    return valid & feasible(*targets).unsqueeze(1)


def per_label(losses: Tensor, targets: Targets) -> Tensor:
    """Return the mean over all samples of `losses` (N,), each divided by its target length."""
    labels = targets.label_lengths.clamp(min=1).to(losses.device, non_blocking=True)
    return sample_mean(losses / labels)


def negative_log_likelihood(log_probs: Tensor, targets: Targets) -> Tensor:
    """Return -log p(target) (N,) of log_probs (N, T, C) by native CTC; 0 where no path exists."""
    lengths, labels, label_lengths = targets
    losses: Tensor = functional.ctc_loss(
        log_probs.transpose(0, 1),
        labels,
        lengths,
        label_lengths,
        reduction="none",
        zero_infinity=True,
    )
    return losses


def posteriors(logits: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """Return the posteriors p(π_t = k | target, logits) (N, T, C), without a gradient.

    Each valid frame sums to 1; frames of padding and of infeasible targets are zero. The gradient
    of CTC by the logits is softmax minus this posterior, so torch's native kernel computes it.

    Source: Graves et al. (ICML 2006), eq. 16.
    """
    log_probs = logits.detach().float().log_softmax(-1)
    with torch.enable_grad():
        leaf = log_probs.transpose(0, 1).requires_grad_()
        losses = functional.ctc_loss(
            leaf, labels, lengths, label_lengths, reduction="none", zero_infinity=True
        )
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    targets = Targets(lengths, labels, label_lengths)
    aligned = aligned_frames(targets, logits.shape[1]).unsqueeze(2)
    with torch.no_grad():  # In place, because new memory costs more than the arithmetic.
        occupied = log_probs.exp_().sub_(gradient.transpose(0, 1)).clamp_(min=0)
        return occupied.mul_(aligned)
