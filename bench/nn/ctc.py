"""The CTC lattice: posteriors over labels, and the most probable alignment.

The extended target interleaves blanks (class 0): b l₁ b l₂ … b, of 2U+1 states.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BLANK = 0


def valid_frames(lengths: Tensor, frames: int) -> Tensor:
    """Return the mask (N, T) of frames before each length (N,)."""
    return torch.arange(frames, device=lengths.device) < lengths.unsqueeze(1)


def posteriors(logits: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """Return p(π_t = k | target, logits), the pseudo-labels of forward-backward.

    Graves et al. (ICML 2006), eq. 16: the gradient of CTC in the logits is softmax minus this
    posterior, so torch's native kernel computes it. (N, T, C) without a gradient, each valid frame
    summing to 1; zero on padding and for targets that their frames cannot align.
    """
    log_probs = logits.detach().float().log_softmax(-1)
    with torch.enable_grad():
        leaf = log_probs.transpose(0, 1).requires_grad_()
        losses = functional.ctc_loss(
            leaf, targets, lengths, target_lengths, reduction="none", zero_infinity=False
        )
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    aligned = valid_frames(lengths, logits.shape[1]) & losses.isfinite().unsqueeze(1)
    occupied = (log_probs.exp() - gradient.transpose(0, 1)).clamp(min=0)
    # A choice, not a product: what cannot be aligned has a gradient of NaN.
    return occupied.where(aligned.unsqueeze(-1), 0)


def best_alignment(
    log_probs: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor
) -> Tensor:
    """Return for each frame which label of the target it shows on the most probable path.

    Viterbi over the lattice of π* = argmax p(π | target). `log_probs` (N, T, C), `targets` (N, U);
    the result (N, T) holds label positions 0…U-1, and -1 for blank, for padding, and throughout
    targets that their frames cannot align.
    """
    log_probs = log_probs.detach()
    (batch, frames, _), states = log_probs.shape, 2 * targets.shape[1] + 1
    extended = targets.new_full((batch, states), BLANK)
    extended[:, 1::2] = targets
    emissions = log_probs.gather(2, extended.unsqueeze(1).expand(batch, frames, states))
    skips = torch.zeros_like(extended, dtype=torch.bool)
    skips[:, 3::2] = targets[:, 1:] != targets[:, :-1]

    score = emissions[:, 0].clone()
    score[:, 2:] = -torch.inf
    steps = emissions.new_zeros((frames, batch, states), dtype=torch.int64)
    for t in range(1, frames):
        before = functional.pad(score, (2, 0), value=-torch.inf)
        arrivals = torch.stack(
            [score, before[:, 1:-1], before[:, :-2].masked_fill(~skips, -torch.inf)]
        )
        best, steps[t] = arrivals.max(0)
        running = (t < lengths).unsqueeze(1)
        score = torch.where(running, best + emissions[:, t], score)
        steps[t] *= running
    return _trace_back(score, steps, lengths, target_lengths)


def _trace_back(score: Tensor, steps: Tensor, lengths: Tensor, target_lengths: Tensor) -> Tensor:
    """Follow `steps` (T, N, 2U+1) back from the better of the last label and the last blank."""
    ends = torch.stack([2 * target_lengths, (2 * target_lengths - 1).clamp(min=0)], 1)
    values, choice = score.gather(1, ends).max(1)
    state = ends.gather(1, choice.unsqueeze(1))
    path = []
    for step in reversed(steps):
        path.append(state)
        state = state - step.gather(1, state)
    states = torch.cat(path[::-1], 1)
    shown = valid_frames(lengths, len(steps)) & (states % 2 == 1) & values.isfinite().unsqueeze(1)
    return torch.where(shown, states // 2, -1)
