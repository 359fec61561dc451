"""The CTC lattice in plain torch: likelihood, entropy and the best of all alignments.

The extended target interleaves blanks (class 0), b l₁ b l₂ … b; S = 2U+1 states. Everything is in
log space and batched; the one loop is over frames. Impossible is `NEVER` and not -∞, whose
differences would be NaN.
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
    """What a batch's alignments are sums over.

    `emissions` (N, T, S) is log p of each state's class, `skips` (N, S) is 0 where a path may come
    from two states before and `NEVER` where not, `lengths` and `ends` (N,) are the valid frames and
    the last state, 2U. All are on one device.
    """

    emissions: Tensor
    skips: Tensor
    lengths: Tensor
    ends: Tensor


def states(targets: Tensor) -> Tensor:
    """Return the class of each state (N, 2U+1) of the extended targets (N, U)."""
    extended = targets.new_full((targets.shape[0], 2 * targets.shape[1] + 1), BLANK)
    extended[:, 1::2] = targets
    return extended


def lattice(log_probs: Tensor, targets: Targets) -> Lattice:
    """Return the lattice of `log_probs` (N, T, C), differentiable."""
    lengths, labels, label_lengths = targets
    device = log_probs.device
    extended = states(labels)
    index = extended.unsqueeze(1).expand(-1, log_probs.shape[1], -1)
    skips = torch.full_like(extended, NEVER, dtype=log_probs.dtype)
    # Between two equal labels a blank has to stand, else they would be merged into one.
    skips[:, 3::2].masked_fill_(labels[:, 1:] != labels[:, :-1], 0)
    return Lattice(
        log_probs.gather(2, index),
        skips,
        lengths.to(device, non_blocking=True),
        (2 * label_lengths).to(device, non_blocking=True),
    )


def log_likelihood(log_probs: Tensor, targets: Targets) -> Tensor:
    """Return log p(target | log_probs) (N,), below `NEVER` / 2 where no path exists.

    Graves et al. (ICML 2006), eq. 6 to 8, and 16 as its gradient, which is 0 where no path exists.
    """
    found = lattice(log_probs, targets)
    likelihood: Tensor = _Likelihood.apply(found.emissions, found)
    return likelihood


def cost(likelihood: Tensor) -> Tensor:
    """Return minus `likelihood` (N,), and 0 where that says that no path exists."""
    return -likelihood.where(likelihood > NEVER / 2, 0)


def alignments(log_probs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return log p(target) and the entropy in nats of p(path | target), each (N,).

    Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy Regularization"
    (NeurIPS 2018): H = -Σ p(π|l) log p(π|l) over the paths that read as the target. Where none
    exists, the first is below `NEVER` / 2, the second 0, and both have no gradient.
    """
    found = lattice(log_probs, targets)
    likelihood, entropy = _Alignments.apply(found.emissions, found)
    return likelihood, entropy


def best_alignment(
    log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor
) -> Tensor:
    """Return for each frame which label of the target it shows on the most probable path.

    Viterbi over the lattice: π* = argmax p(π | target). `log_probs` (N, T, C), `labels` (N, U);
    the result (N, T) holds label positions 0…U-1, and -1 for blank, for padding, and throughout
    labels that their frames cannot align.
    """
    targets = Targets(lengths, labels, label_lengths)
    found = lattice(log_probs.detach(), targets)
    scores, steps = _best_steps(found)
    valid = valid_frames(found.lengths, log_probs.shape[1])
    # Behind the valid frames nothing moves: the way back of every sample starts at the last frame.
    steps.mul_(valid[:, 1:].T.contiguous().unsqueeze(1))
    values, label = torch.stack(_last_two(_at_end(scores, found), found.ends)).max(0)
    back = accumulate(
        reversed(steps.unbind(0)),
        lambda state, step: state - step.gather(0, state),
        initial=(found.ends - label).unsqueeze(0),
    )
    states = torch.cat(list(back)[::-1]).T
    shown = valid & (states & 1).bool() & (values > NEVER / 2).unsqueeze(1)
    return torch.where(shown, states >> 1, -1)


def blanks_included(shown: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return an alignment with its blank segments, and the classes of all segments.

    `shown` (N, T) is what `best_alignment` returns for `targets`. Segment 2u + 1 is that of label
    u, segment 2u the blanks before it, segment 2U those behind the last label. The result holds the
    segment of each frame (N, T), -1 on padding and throughout targets that are not feasible, and
    the class of each segment (N, 2U + 1).
    """
    finished = shown.cummax(1).values + 1
    segments = torch.where(shown < 0, 2 * finished, 2 * shown + 1)
    segments = segments.where(aligned_frames(targets, shown.shape[1]), -1)
    labels = targets.labels
    classes = labels.new_full((len(labels), 2 * labels.shape[1] + 1), BLANK)
    classes[:, 1::2] = labels
    return segments, classes


def key_frames(log_probs: Tensor, shown: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the frame (N, U) on which each label scores highest, and whether it is shown.

    Of scores `log_probs` (N, T, C), among the frames on which `shown` (N, T), by `best_alignment`,
    has that label of `targets` (N, U); of equal frames the first.
    """
    label, none = shown.clamp(min=0), shown < 0
    scores = log_probs.gather(2, targets.gather(1, label).unsqueeze(2)).squeeze(2)
    scores = scores.masked_fill(none, NEVER)
    best = scores.new_full(targets.shape, NEVER).scatter_reduce_(1, label, scores, "amax")
    time = torch.arange(shown.shape[1], device=shown.device).expand_as(shown)
    chosen = time.masked_fill(none | (scores < best.gather(1, label)), shown.shape[1])
    last = torch.full_like(targets, shown.shape[1] - 1)
    return last.scatter_reduce(1, label, chosen, "amin"), best > NEVER / 2


class Passes(NamedTuple):
    """What the two recursions over a lattice give together.

    `forward` is α and `backward` β (N, T, S), both with the emission of their frame; `likelihood`
    (N,) is log p(target), `log_gamma` (N, T, S) the log posterior of each state. `both` (2N, T, S)
    holds α and, behind it along N, that of the mirrored lattice; `skips` (2N, S) is theirs.
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
    def forward(ctx: BackwardCFunction, emissions: Tensor, rest: Lattice) -> Tensor:
        found = passes(rest._replace(emissions=emissions))
        ctx.save_for_backward(found.log_gamma.exp())
        return found.likelihood

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None]:
        (gamma,) = ctx.saved_tensors
        return gradients[0][:, None, None] * gamma, None


class _Alignments(torch.autograd.Function):
    """A and the entropy H of the alignments.

    With h the entropy of the paths that an α or a β sums, ∂H/∂e = γ (h_α + h_β - H - log γ).
    """

    @staticmethod
    def forward(ctx: BackwardCFunction, emissions: Tensor, rest: Lattice) -> tuple[Tensor, Tensor]:
        rest = rest._replace(emissions=emissions)
        found = passes(rest)
        known, mirrored = _entropies(found.both, found.skips).chunk(2)
        last = torch.stack(_last_two(_at_end(found.forward, rest), rest.ends)).log_softmax(0)
        inner = torch.stack(_last_two(_at_end(known, rest), rest.ends)).clamp(min=0)
        entropy = (last.exp() * (inner - last)).sum(0)
        log_gamma, gamma = found.log_gamma, found.log_gamma.exp()
        spread = known + _mirror(mirrored, rest) - entropy[:, None, None] - log_gamma
        ctx.save_for_backward(gamma, torch.where(gamma > 0, gamma * spread, 0))
        return found.likelihood, entropy.where(found.likelihood > NEVER / 2, 0)

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None]:
        gamma, spread = tuple(ctx.saved_tensors)
        likelihood, entropy = gradients
        return likelihood[:, None, None] * gamma + entropy[:, None, None] * spread, None


def passes(found: Lattice) -> Passes:
    """Run both recursions side by side, the backward one as the forward of the mirrored lattice."""
    emissions, skips, lengths, ends = found
    state = _mirrored_states(found)
    # A skip into a state of the mirrored lattice is one out of it in the lattice itself.
    back = functional.pad(skips, (0, 2), value=NEVER).gather(1, state + 2)
    skips = torch.cat([skips, back])
    both = _recursion(torch.cat([emissions, _mirror(emissions, found)]), skips)
    forward, mirrored = both.chunk(2)
    backward = _mirror(mirrored, found)
    likelihood = torch.logaddexp(*_last_two(_at_end(forward, found), ends))
    log_gamma = forward + backward - emissions - likelihood[:, None, None]
    reached = valid_frames(lengths, emissions.shape[1]) & (likelihood > NEVER / 2).unsqueeze(1)
    reached = reached.unsqueeze(2) & valid_frames(ends + 1, emissions.shape[2]).unsqueeze(1)
    log_gamma = log_gamma.masked_fill(~reached, NEVER)
    return Passes(forward, backward, likelihood, log_gamma, both, skips)


def _best_steps(found: Lattice) -> tuple[Tensor, Tensor]:
    """Return the best log score (N, T, S) of each state, and from how far before it is reached.

    The second, (T-1, S, N), is 0, 1 or 2 states. A frame is one block of memory, samples last, and
    what is chosen a byte: on lattices of this size fresh memory costs more than arithmetic.
    """
    emissions, skips = found.emissions.permute(1, 2, 0).contiguous(), found.skips.T.contiguous()
    frames, states, size = emissions.shape
    padded = emissions.new_full((frames, states + 2, size), NEVER)
    padded[0, 2:4] = emissions[0, :2]
    stay, move = padded[:, 2:], padded[:, 1:-1]
    moves, jumps = torch.empty(2, frames - 1, states, size, dtype=torch.bool, device=skips.device)
    near, skip = torch.empty_like(skips), torch.empty_like(skips)
    before = (stay[:-1], move[:-1], padded[:-1, :-2])
    into = (stay[1:], moves, jumps, emissions[1:])
    for one, two, three, best, moved, jumped, emission in zip(*before, *into, strict=True):
        torch.maximum(one, two, out=near)
        torch.gt(two, one, out=moved)
        torch.add(three, skips, out=skip)
        torch.gt(skip, near, out=jumped)
        torch.maximum(near, skip, out=best)
        best.add_(emission)
    steps = torch.maximum(moves.view(torch.uint8), jumps.view(torch.uint8).mul_(2))
    return stay.permute(2, 0, 1), steps


def _recursion(emissions: Tensor, skips: Tensor) -> Tensor:
    """Return α (N, T, S): the log sum of the paths over frames 0…t that end in state s."""
    # Two columns of padding: a path comes from this state, the one before, or the one before that.
    padded = functional.pad(torch.full_like(emissions, NEVER), (2, 0), value=NEVER)
    padded[:, 0, 2:4] = emissions[:, 0, :2]
    frames = padded.unbind(1)
    for before, after, emission in zip(frames, frames[1:], emissions.unbind(1)[1:], strict=False):
        come = torch.logaddexp(before[:, 2:], before[:, 1:-1])
        torch.add(torch.logaddexp(come, before[:, :-2] + skips), emission, out=after[:, 2:])
    return padded[..., 2:]


def _arrivals(alphas: Tensor, skips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights (N, T-1, S) of coming from this state, the one before, the second."""
    before = functional.pad(alphas[:, :-1], (2, 0), value=NEVER)
    return before[..., 2:], before[..., 1:-1], before[..., :-2] + skips[:, None]


def _entropies(alphas: Tensor, skips: Tensor) -> Tensor:
    """Return the entropy (N, T, S) of the paths that each α sums.

    By the chain rule: the entropy of the last step, and the mean of those before it. No term is
    negative, so nothing cancels.
    """
    log_shares = torch.stack(_arrivals(alphas, skips)).log_softmax(0)
    shares = log_shares.exp()
    padded = functional.pad(-(shares * log_shares).sum(0), (2, 0, 1, 0))
    frames = padded.unbind(1)
    ways = [way.unbind(1) for way in shares.unbind(0)]
    for known, after, stay, move, skip in zip(frames, frames[1:], *ways, strict=False):
        entropy = after[:, 2:]
        entropy.addcmul_(stay, known[:, 2:])
        entropy.addcmul_(move, known[:, 1:-1])
        entropy.addcmul_(skip, known[:, :-2])
    return padded[..., 2:]


def _last_two(values: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    """Return `values` (N, S) of the last blank and of the last label, `NEVER` where U = 0."""
    label = values.gather(1, (ends - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    return values.gather(1, ends.unsqueeze(1)).squeeze(1), label.where(ends > 0, NEVER)


def _at_end(values: Tensor, found: Lattice) -> Tensor:
    """Return `values` (N, T, S) at the last valid frame."""
    row = torch.arange(len(values), device=values.device)
    return values[row, found.lengths - 1]


def _mirrored_states(found: Lattice) -> Tensor:
    positions = torch.arange(found.emissions.shape[2], device=found.ends.device)
    return (found.ends.unsqueeze(1) - positions).clamp(min=0)


def _mirror(values: Tensor, found: Lattice) -> Tensor:
    """Return `values` (N, T, S) with the valid frames and states in reversed order."""
    frames = torch.arange(values.shape[1], device=values.device)
    time = (found.lengths.unsqueeze(1) - 1 - frames).clamp(min=0)
    rows = values.gather(1, time.unsqueeze(2).expand_as(values))
    return rows.gather(2, _mirrored_states(found).unsqueeze(1).expand_as(values))
