"""The CTC lattice in plain torch: likelihood, entropy and the most probable alignment.

The extended target interleaves blanks (class 0), b l₁ b l₂ … b; S = 2U+1 states. All computations
are in log space and batched, with one loop over frames. Impossible states have the score `NEVER`
instead of -∞, because differences of -∞ are NaN.

Source: Graves et al., "Connectionist Temporal Classification" (ICML 2006).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.types import Targets
from bench.nn.ctc_functions import BLANK, aligned_frames, valid_frames

if TYPE_CHECKING:
    from torch.autograd.function import BackwardCFunction

NEVER = -1e30


class Lattice(NamedTuple):
    """The states and transitions of a batch, all on one device.

    Attributes:
        emissions: Log-probability of each state's class in each frame, (N, T, S).
        skips: 0 where a path may skip from two states before, else `NEVER`, (N, S).
        lengths: The number of valid frames, (N,).
        ends: The index of the last state, 2U, (N,).
    """

    emissions: Tensor
    skips: Tensor
    lengths: Tensor
    ends: Tensor


def extended_targets(targets: Tensor) -> Tensor:
    """Return targets (N, U) with a blank before, between and after the labels, (N, 2U+1)."""
    extended = targets.new_full((targets.shape[0], 2 * targets.shape[1] + 1), BLANK)
    extended[:, 1::2] = targets
    return extended


def lattice(log_probs: Tensor, targets: Targets) -> Lattice:
    """Return the lattice of `log_probs` (N, T, C); its emissions are differentiable."""
    lengths, labels, label_lengths = targets
    device = log_probs.device
    extended = extended_targets(labels)
    index = extended.unsqueeze(1).expand(-1, log_probs.shape[1], -1)
    skips = torch.full_like(extended, NEVER, dtype=log_probs.dtype)
    # Two equal labels require a blank between them; without it they would be merged.
    skips[:, 3::2].masked_fill_(labels[:, 1:] != labels[:, :-1], 0)
    return Lattice(
        log_probs.gather(2, index),
        skips,
        lengths.to(device, non_blocking=True),
        (2 * label_lengths).to(device, non_blocking=True),
    )


def log_likelihood(log_probs: Tensor, targets: Targets) -> Tensor:
    """Return log p(target | log_probs) (N,), below `NEVER` / 2 where no path exists.

    The gradient is 0 where no path exists.

    Source: Graves et al. (ICML 2006), eq. 6 to 8; the gradient is eq. 16.
    """
    graph = lattice(log_probs, targets)
    likelihood: Tensor = _Likelihood.apply(graph.emissions, graph)
    return likelihood


def negative_log_likelihood(likelihood: Tensor) -> Tensor:
    """Return minus a log-likelihood (N,), and 0 where no path exists."""
    return -likelihood.where(likelihood > NEVER / 2, 0)


def alignments(log_probs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return log p(target) and the entropy in nats of p(path | target), each (N,).

    H = -Σ p(π|l) log p(π|l) over the paths π that collapse to the target l. Where no path exists,
    the likelihood is below `NEVER` / 2, the entropy 0, and neither has a gradient.

    Source: Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy
    Regularization" (NeurIPS 2018).
    """
    graph = lattice(log_probs, targets)
    likelihood, entropy = _Alignments.apply(graph.emissions, graph)
    return likelihood, entropy


def best_alignment(
    log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor
) -> Tensor:
    """Return the position in the target of each frame's label on the most probable path (Viterbi).

    Args:
        log_probs: Log-probabilities (N, T, C).
        lengths: The number of valid frames, (N,).
        labels: The targets, (N, U).
        label_lengths: The number of labels, (N,).

    Returns:
        Positions 0…U-1, (N, T); -1 for blank, for padding, and in all frames of a target that is
        longer than the output allows.
    """
    targets = Targets(lengths, labels, label_lengths)
    graph = lattice(log_probs.detach(), targets)
    scores, steps = _best_steps(graph)
    valid = valid_frames(graph.lengths, log_probs.shape[1])
    # After the valid frames the state stays, so every sample is traced back from the last frame.
    steps.mul_(valid[:, 1:].T.contiguous().unsqueeze(1))
    values, label = torch.stack(_last_two(_at_end(scores, graph), graph.ends)).max(0)
    back = accumulate(
        reversed(steps.unbind(0)),
        lambda state, step: state - step.gather(0, state),
        initial=(graph.ends - label).unsqueeze(0),
    )
    states = torch.cat(list(back)[::-1]).T
    aligned = valid & (states & 1).bool() & (values > NEVER / 2).unsqueeze(1)
    return torch.where(aligned, states >> 1, -1)


def blanks_included(alignment: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return an alignment with its blank segments, and the classes of all segments.

    Segment 2u + 1 belongs to label u, segment 2u are the blanks before it, and segment 2U the
    blanks after the last label.

    Args:
        alignment: The result (N, T) of `best_alignment` for `targets`.
        targets: The targets.

    Returns:
        The segment of each frame (N, T), -1 on padding and in all frames of targets that are not
        feasible; and the class of each segment (N, 2U + 1).
    """
    finished = alignment.cummax(1).values + 1
    segments = torch.where(alignment < 0, 2 * finished, 2 * alignment + 1)
    segments = segments.where(aligned_frames(targets, alignment.shape[1]), -1)
    labels = targets.labels
    classes = labels.new_full((len(labels), 2 * labels.shape[1] + 1), BLANK)
    classes[:, 1::2] = labels
    return segments, classes


def key_frames(log_probs: Tensor, alignment: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the frame (N, U) on which each label scores highest, and whether it has any frame.

    Args:
        log_probs: Scores (N, T, C).
        alignment: The result (N, T) of `best_alignment`; a label's frame is one aligned with it.
        targets: The labels (N, U).

    Returns:
        Frames (N, U), the first of equal ones; and a mask (N, U).
    """
    label, none = alignment.clamp(min=0), alignment < 0
    scores = log_probs.gather(2, targets.gather(1, label).unsqueeze(2)).squeeze(2)
    scores = scores.masked_fill(none, NEVER)
    best = scores.new_full(targets.shape, NEVER).scatter_reduce_(1, label, scores, "amax")
    time = torch.arange(alignment.shape[1], device=alignment.device).expand_as(alignment)
    chosen = time.masked_fill(none | (scores < best.gather(1, label)), alignment.shape[1])
    last = torch.full_like(targets, alignment.shape[1] - 1)
    return last.scatter_reduce(1, label, chosen, "amin"), best > NEVER / 2


class ForwardBackward(NamedTuple):
    """The results of the forward and backward recursion over a lattice.

    Attributes:
        forward: α, with the emission of its frame, (N, T, S).
        backward: β, with the emission of its frame, (N, T, S).
        likelihood: log p(target), (N,).
        log_gamma: The log-posterior of each state, (N, T, S).
        both: α, followed by that of the mirrored lattice, (2N, T, S).
        skips: The skips of both, (2N, S).
    """

    forward: Tensor
    backward: Tensor
    likelihood: Tensor
    log_gamma: Tensor
    both: Tensor
    skips: Tensor


class _Likelihood(torch.autograd.Function):
    """A = log p(target) of emissions e; ∂A/∂e = γ."""

    @staticmethod
    def forward(ctx: BackwardCFunction, emissions: Tensor, graph: Lattice) -> Tensor:
        sums = forward_backward(graph._replace(emissions=emissions))
        ctx.save_for_backward(sums.log_gamma.exp())
        return sums.likelihood

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None]:
        (gamma,) = ctx.saved_tensors
        return gradients[0][:, None, None] * gamma, None


class _Alignments(torch.autograd.Function):
    """A and the entropy H of the alignments.

    With h the entropy of the paths that an α or a β sums, ∂H/∂e = γ (h_α + h_β - H - log γ).
    """

    @staticmethod
    def forward(ctx: BackwardCFunction, emissions: Tensor, graph: Lattice) -> tuple[Tensor, Tensor]:
        graph = graph._replace(emissions=emissions)
        sums = forward_backward(graph)
        entropies, mirrored = _entropies(sums.both, sums.skips).chunk(2)
        last = torch.stack(_last_two(_at_end(sums.forward, graph), graph.ends)).log_softmax(0)
        inner = torch.stack(_last_two(_at_end(entropies, graph), graph.ends)).clamp(min=0)
        entropy = (last.exp() * (inner - last)).sum(0)
        log_gamma, gamma = sums.log_gamma, sums.log_gamma.exp()
        spread = entropies + _mirror(mirrored, graph) - entropy[:, None, None] - log_gamma
        ctx.save_for_backward(gamma, torch.where(gamma > 0, gamma * spread, 0))
        return sums.likelihood, entropy.where(sums.likelihood > NEVER / 2, 0)

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None]:
        gamma, spread = tuple(ctx.saved_tensors)
        likelihood, entropy = gradients
        return likelihood[:, None, None] * gamma + entropy[:, None, None] * spread, None


def forward_backward(graph: Lattice) -> ForwardBackward:
    """Run both recursions as one batch, the backward one as the forward of the mirrored lattice."""
    emissions, skips, lengths, ends = graph
    state = _mirrored_states(graph)
    # A skip into a state of the mirrored lattice is one out of it in the lattice itself.
    back = functional.pad(skips, (0, 2), value=NEVER).gather(1, state + 2)
    skips = torch.cat([skips, back])
    both = _recursion(torch.cat([emissions, _mirror(emissions, graph)]), skips)
    forward, mirrored = both.chunk(2)
    backward = _mirror(mirrored, graph)
    likelihood = torch.logaddexp(*_last_two(_at_end(forward, graph), ends))
    log_gamma = forward + backward - emissions - likelihood[:, None, None]
    reached = valid_frames(lengths, emissions.shape[1]) & (likelihood > NEVER / 2).unsqueeze(1)
    reached = reached.unsqueeze(2) & valid_frames(ends + 1, emissions.shape[2]).unsqueeze(1)
    log_gamma = log_gamma.masked_fill(~reached, NEVER)
    return ForwardBackward(forward, backward, likelihood, log_gamma, both, skips)


def _best_steps(graph: Lattice) -> tuple[Tensor, Tensor]:
    """Return the best log score of each state (N, T, S), and the step by which it is reached.

    Steps (T-1, S, N) are 0, 1 or 2 states. Samples are the last axis and a step is a byte: on
    lattices of this size, new memory costs more than arithmetic.
    """
    emissions, skips = graph.emissions.permute(1, 2, 0).contiguous(), graph.skips.T.contiguous()
    frames, states, size = emissions.shape
    padded = emissions.new_full((frames, states + 2, size), NEVER)
    padded[0, 2:4] = emissions[0, :2]
    stay, move = padded[:, 2:], padded[:, 1:-1]
    moves, jumps = torch.empty(2, frames - 1, states, size, dtype=torch.bool, device=skips.device)
    near, skip = torch.empty_like(skips), torch.empty_like(skips)
    before = (stay[:-1], move[:-1], padded[:-1, :-2])
    into = (stay[1:], moves, jumps, emissions[1:])
    for stayed, moved_one, moved_two, best, moved, jumped, emission in zip(
        *before, *into, strict=True
    ):
        torch.maximum(stayed, moved_one, out=near)
        torch.gt(moved_one, stayed, out=moved)
        torch.add(moved_two, skips, out=skip)
        torch.gt(skip, near, out=jumped)
        torch.maximum(near, skip, out=best)
        best.add_(emission)
    steps = torch.maximum(moves.view(torch.uint8), jumps.view(torch.uint8).mul_(2))
    return stay.permute(2, 0, 1), steps


def _recursion(emissions: Tensor, skips: Tensor) -> Tensor:
    """Return α (N, T, S): the log sum of the paths over frames 0…t that end in state s."""
    # Two columns of padding, because a path may come from up to two states before.
    padded = functional.pad(torch.full_like(emissions, NEVER), (2, 0), value=NEVER)
    padded[:, 0, 2:4] = emissions[:, 0, :2]
    frames = padded.unbind(1)
    for before, after, emission in zip(frames, frames[1:], emissions.unbind(1)[1:], strict=False):
        come = torch.logaddexp(before[:, 2:], before[:, 1:-1])
        torch.add(torch.logaddexp(come, before[:, :-2] + skips), emission, out=after[:, 2:])
    return padded[..., 2:]


def _arrivals(alphas: Tensor, skips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights (N, T-1, S) of staying, of coming from the state before, of skipping."""
    before = functional.pad(alphas[:, :-1], (2, 0), value=NEVER)
    return before[..., 2:], before[..., 1:-1], before[..., :-2] + skips[:, None]


def _entropies(alphas: Tensor, skips: Tensor) -> Tensor:
    """Return the entropy (N, T, S) of the paths that each α sums.

    By the chain rule it is the entropy of the last step plus the mean entropy of the paths before.
    No term is negative, so nothing cancels.
    """
    log_shares = torch.stack(_arrivals(alphas, skips)).log_softmax(0)
    shares = log_shares.exp()
    padded = functional.pad(-(shares * log_shares).sum(0), (2, 0, 1, 0))
    frames = padded.unbind(1)
    ways = [way.unbind(1) for way in shares.unbind(0)]
    for before, after, stay, move, skip in zip(frames, frames[1:], *ways, strict=False):
        entropy = after[:, 2:]
        entropy.addcmul_(stay, before[:, 2:])
        entropy.addcmul_(move, before[:, 1:-1])
        entropy.addcmul_(skip, before[:, :-2])
    return padded[..., 2:]


def _last_two(values: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    """Return `values` (N, S) of the last blank and of the last label, `NEVER` where U = 0."""
    label = values.gather(1, (ends - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    return values.gather(1, ends.unsqueeze(1)).squeeze(1), label.where(ends > 0, NEVER)


def _at_end(values: Tensor, graph: Lattice) -> Tensor:
    """Return `values` (N, T, S) at the last valid frame."""
    row = torch.arange(len(values), device=values.device)
    return values[row, graph.lengths - 1]


def _mirrored_states(graph: Lattice) -> Tensor:
    positions = torch.arange(graph.emissions.shape[2], device=graph.ends.device)
    return (graph.ends.unsqueeze(1) - positions).clamp(min=0)


def _mirror(values: Tensor, graph: Lattice) -> Tensor:
    """Return `values` (N, T, S) with the valid frames and states in reversed order."""
    frames = torch.arange(values.shape[1], device=values.device)
    time = (graph.lengths.unsqueeze(1) - 1 - frames).clamp(min=0)
    rows = values.gather(1, time.unsqueeze(2).expand_as(values))
    return rows.gather(2, _mirrored_states(graph).unsqueeze(1).expand_as(values))
