"""CTC over paths whose labels are spaced about equally: likelihood and entropy.

A path is divided into segments, one per label: the blanks before the label's frames, and these
frames. Only paths count whose segments, and whose blanks after the last label, are not longer than
a limit. L is the largest limit; a segment has a label u, a first frame a and a length z.

The lattice has two levels: a recursion over lengths gives the weight of every segment, and one over
labels joins segments from the last to the first. There is no loop over frames. The forward
computation is in log space; the backward one passes probabilities from node to node. `NEVER` is
that of `bench.nn.lattice`.

Source: Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy
Regularization" (NeurIPS 2018), equal spacing CTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.types import Targets
from bench.nn.ctc_functions import BLANK, valid_frames
from bench.nn.lattice import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.autograd.function import BackwardCFunction

_MIN_SHARE = 1e-18
"""Smaller shares count as 0, so that a product of two is never a denormal number, which is slow."""


def limits(targets: Targets, tau: float) -> Tensor:
    """Return the most frames (N,) that a segment may have: ⌊τ (T/U + 1)⌋, and T without labels.

    They are on the host, as the lengths of targets are, because the largest decides a shape.

    For τ ≥ 1 the limit is at least 2, and at least T/(U+1) where T ≥ U. So a segment can have a
    blank between equal labels, and all segments together all T frames: every CTC-feasible target
    has a spaced path.
    """
    lengths, _, target_lengths = targets
    # In double precision and rounded up slightly: 1.2 · (4 + 1) must not become 5.
    mean = lengths.double() / target_lengths.clamp(min=1)
    limit = (tau * (mean + 1) + 1e-9).clamp(max=lengths).long()
    return limit.where(target_lengths > 0, lengths)


def spaced_likelihood(log_probs: Tensor, targets: Targets, tau: float) -> Tensor:
    """Return the log sum (N,) of the spaced paths, below `NEVER` / 2 where there is none.

    Args:
        log_probs: Log-probabilities (N, T, C); they have no gradient where there is no path.
        targets: The targets.
        tau: τ, how much longer than the mean segment a segment may be; at least 1.
    """
    emissions = _emissions(log_probs, targets.labels)
    likelihood: Tensor = _Likelihood.apply(emissions, targets, limits(targets, tau))
    return likelihood


def spaced_alignments(log_probs: Tensor, targets: Targets, tau: float) -> tuple[Tensor, Tensor]:
    """Return the log sum of the spaced paths and their entropy in nats, each (N,).

    The entropy is that of p(π | l, π is spaced). It is 0, without a gradient, where there is no
    path. See `spaced_likelihood` for the arguments.
    """
    emissions = _emissions(log_probs, targets.labels)
    likelihood, entropy = _Alignments.apply(emissions, targets, limits(targets, tau))
    return likelihood, entropy


class _Likelihood(torch.autograd.Function):
    """A = log Σ p(π) of emissions e; ∂A/∂e = γ."""

    @staticmethod
    def forward(
        ctx: BackwardCFunction, emissions: Tensor, targets: Targets, limits: Tensor
    ) -> Tensor:
        likelihood, gamma = emissions.new_empty(len(limits)), torch.zeros_like(emissions)
        for rows, chain in _chains(emissions, targets, limits):
            completions = _completions(chain, _segments(chain))
            likelihood[rows] = completions.likelihood
            _write_rows(gamma, rows, _by_frame(_posteriors(completions), chain))
        ctx.save_for_backward(gamma)
        return likelihood

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gamma,) = ctx.saved_tensors
        return gradients[0][:, None, None] * gamma, None, None


class _Alignments(torch.autograd.Function):
    """A and the entropy H of the spaced paths."""

    @staticmethod
    def forward(
        ctx: BackwardCFunction, emissions: Tensor, targets: Targets, limits: Tensor
    ) -> tuple[Tensor, Tensor]:
        likelihood, gamma = emissions.new_empty(len(limits)), torch.zeros_like(emissions)
        entropy, spread = torch.empty_like(likelihood), torch.zeros_like(emissions)
        for rows, chain in _chains(emissions, targets, limits):
            segments = _segments(chain)
            completions = _completions(chain, segments)
            likelihood[rows] = completions.likelihood
            entropy[rows], slopes = _entropy(segments, completions)
            flow = _posteriors(completions)
            _write_rows(gamma, rows, _by_frame(flow, chain))
            _write_rows(spread, rows, _by_frame(_entropy_slopes(completions, flow, slopes), chain))
        ctx.save_for_backward(gamma, spread)
        return likelihood, entropy

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gamma, spread = tuple(ctx.saved_tensors)
        likelihood, entropy = gradients
        whole = likelihood[:, None, None] * gamma + entropy[:, None, None] * spread
        return whole, None, None


class Chain(NamedTuple):
    """A group of samples with similar limits; time is the last axis.

    Attributes:
        blanks: Log-probability of blank, 0 on padding, (N, T).
        labels: Log-probability of each label, `NEVER` on padding, (U, N, T).
        repeats: Whether a label equals the one before, (U, N, 1).
        tails: Log-probability of blanks only from frame t on, after all U labels of the sample and
            where the limit allows it, else `NEVER`, (U+1, N, T+1).
        limits: The most frames of a segment, (N,).
        lengths: The number of valid frames, (N,).
        target_lengths: The number of labels, (N,).
        longest: L, the largest limit.
    """

    blanks: Tensor
    labels: Tensor
    repeats: Tensor
    tails: Tensor
    limits: Tensor
    lengths: Tensor
    target_lengths: Tensor
    longest: int


class Segments(NamedTuple):
    """The weights of all segments.

    Attributes:
        weights: Log sums of the paths within a segment, by z - 1 and a, (U, L, N, T).
        lead: Of the first z frames, the log weight of those that end in the label minus that of
            those that are all blank, (U, L-1, N, T).
    """

    weights: Tensor
    lead: Tensor


class Completions(NamedTuple):
    """The log sums of all endings, and the probability of each next step.

    Attributes:
        ends: The log sum of the endings that begin with label u on frame t, (U+1, N, T+L).
        log_shares: The log-probability of each length of the next segment, (U, L, N, T).
        shares: The same as probabilities, (U, L, N, T).
        labelled: The probability that frame z of a segment is the label, given the label at z + 1,
            (U, L-1, N, T).
        blank: The probability that it is blank, (U, L-1, N, T).
    """

    ends: Tensor
    log_shares: Tensor
    shares: Tensor
    labelled: Tensor
    blank: Tensor

    @property
    def likelihood(self) -> Tensor:
        """The log sum (N,) of all paths."""
        return self.ends[0, :, 0]


class Slopes(NamedTuple):
    """The derivatives of the entropy by the log weight of each step, shaped as the shares."""

    segments: Tensor
    labelled: Tensor
    blank: Tensor


class Flow(NamedTuple):
    """Quantities passed through the lattice in proportion to the shares, from first to last node.

    Attributes:
        nodes: What arrives at each end of a segment, (U+1, N, T+L).
        labels: The part of each segment's z-th frame as the label, (U, L, N, T).
        blanks: The part of the z-th frame as blank, summed over labels, (L-1, N, T).
    """

    nodes: Tensor
    labels: Tensor
    blanks: Tensor


def _emissions(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Return log p (N, T, U+1) of blank and of each label."""
    classes = functional.pad(targets, (1, 0), value=BLANK)
    return log_probs.gather(2, classes.unsqueeze(1).expand(-1, log_probs.shape[1], -1))


def _chains(emissions: Tensor, targets: Targets, limits: Tensor) -> Iterator[tuple[Tensor, Chain]]:
    """Yield the rows of each group with similar limits, and their chain.

    Memory is proportional to the longest target times the largest limit. Short targets have large
    limits, so in one group with long targets they would cost many times as much.
    """
    groups: dict[int, list[int]] = {}
    for row, limit in enumerate(limits.tolist()):
        groups.setdefault(limit.bit_length(), []).append(row)
    lengths, labels, label_lengths = targets
    for group in groups.values():
        members = torch.tensor(group)
        sizes, counts = lengths[members], label_lengths[members]
        frames, longest = int(sizes.max()), int(counts.max())
        rows = members.to(labels.device, non_blocking=True)
        group_targets = Targets(sizes, labels[rows, :longest], counts)
        yield rows, _chain(emissions[rows, :frames, : longest + 1], group_targets, limits[members])


def _chain(emissions: Tensor, targets: Targets, limits: Tensor) -> Chain:
    labels, longest = targets.labels, int(limits.max())
    device = labels.device
    lengths, label_lengths, limits = (
        tensor.to(device, non_blocking=True)
        for tensor in (targets.lengths, targets.label_lengths, limits)
    )
    frames, count = emissions.shape[1], labels.shape[1]
    valid = valid_frames(lengths, frames)
    blanks, labeled = emissions.permute(2, 0, 1).contiguous().tensor_split([1])
    blanks = blanks.squeeze(0).masked_fill(~valid, 0)
    before = functional.pad(labels, (1, 0), value=BLANK)[:, :-1]
    left = functional.pad(blanks.flip(1).cumsum(1).flip(1), (0, 1))
    # Between frames: t = 0 is before the first frame, t = T after the last.
    time = torch.arange(frames + 1, device=device)
    rest = lengths.unsqueeze(1) - time
    left = left.masked_fill((rest < 0) | (rest > limits.unsqueeze(1)), NEVER)
    done = torch.arange(count + 1, device=device).unsqueeze(1) == label_lengths
    return Chain(
        blanks=blanks,
        labels=labeled.masked_fill(~valid, NEVER),
        repeats=(labels == before).T.unsqueeze(2),
        tails=left.where(done.unsqueeze(2), NEVER),
        limits=limits,
        lengths=lengths,
        target_lengths=label_lengths,
        longest=longest,
    )


def _write_rows(whole: Tensor, rows: Tensor, values: Tensor) -> None:
    """Write the values (n, t, u) of a group into its rows of `whole` (N, T, U+1)."""
    whole[rows, : values.shape[1], : values.shape[2]] = values


def _segments(chain: Chain) -> Segments:
    labels, longest = chain.labels, chain.longest
    size, frames = chain.blanks.shape
    weights = labels.new_full((len(labels), longest, size, frames), NEVER)
    blanks = labels.new_full((longest, size, frames), NEVER)
    # The segment of a label that equals the one before begins with a blank.
    weights[:, 0] = labels.masked_fill(chain.repeats, NEVER)
    blanks[0] = chain.blanks
    for z in range(1, longest):
        begun = slice(frames - z)
        before = torch.logaddexp(weights[:, z - 1, :, begun], blanks[z - 1, :, begun])
        weights[:, z, :, begun] = before + labels[..., z:]
        blanks[z, :, begun] = blanks[z - 1, :, begun] + chain.blanks[:, z:]
    lead = weights[:, :-1] - blanks[:-1]
    within = valid_frames(chain.limits, longest).T.unsqueeze(2)
    return Segments(weights.masked_fill_(~within, NEVER), lead)


def _completions(chain: Chain, segments: Segments) -> Completions:
    """Chain the segments, from the last label to the first."""
    longest, frames = chain.longest, chain.blanks.shape[1]
    ends = functional.pad(chain.tails, (0, longest - 1), value=NEVER)
    log_shares = torch.empty_like(segments.weights)
    for u in reversed(range(len(log_shares))):
        torch.add(segments.weights[u], _ahead(ends[u + 1], longest), out=log_shares[u])
        # At most one of the two is possible: no path continues after its last label.
        ends[u, :, :frames] = ends[u, :, :frames].maximum(log_shares[u].logsumexp(0))
    here = ends[:-1, None, :, :frames]
    shares = (log_shares.sub_(here)).exp().masked_fill_(here <= NEVER / 2, 0)
    return Completions(
        ends=ends,
        log_shares=log_shares,
        shares=functional.threshold(shares, _MIN_SHARE, 0),
        labelled=functional.threshold(segments.lead.sigmoid(), _MIN_SHARE, 0),
        blank=functional.threshold((-segments.lead).sigmoid(), _MIN_SHARE, 0),
    )


def _posteriors(completions: Completions) -> Flow:
    """Return γ of every node: the posterior probability that a path passes through it."""
    none = completions.shares.new_zeros(())
    kinds = (completions.shares, completions.labelled, completions.blank)
    begin = (completions.likelihood > NEVER / 2).to(none.dtype)
    return _flow(completions, begin, Slopes(*(none.expand_as(kind) for kind in kinds)))


def _entropy_slopes(completions: Completions, gamma: Flow, slopes: Slopes) -> Flow:
    """Return ∂H/∂e of every node, passed on as γ is, plus γ times the slopes on the way."""
    here = gamma.nodes[:-1, None, :, : completions.shares.shape[-1]]
    later = gamma.labels[:, 1:]
    more = Slopes(here * slopes.segments, later * slopes.labelled, later * slopes.blank)
    return _flow(completions, torch.zeros_like(completions.likelihood), more)


def _flow(completions: Completions, begin: Tensor, more: Slopes) -> Flow:
    """Pass `begin` (N,) on by shares, and add `more` per step, from the first label to the last."""
    frames = completions.shares.shape[-1]
    nodes, ways = torch.zeros_like(completions.ends), torch.empty_like(completions.shares)
    nodes[0, :, 0] = begin
    for u, way in enumerate(ways):
        torch.addcmul(more.segments[u], nodes[u, :, :frames], completions.shares[u], out=way)
        nodes[u + 1, :, 1:] = functional.hardshrink(_diagonals(way)[:, :-1], _MIN_SHARE)
    # Then within the segments, from the last frame to the first.
    for z in reversed(range(ways.shape[1] - 1)):
        ways[:, z] += torch.addcmul(more.labelled[:, z], ways[:, z + 1], completions.labelled[:, z])
    blanks = torch.addcmul(more.blank, ways[:, 1:], completions.blank).sum(0)
    # Blanks that end on frame z cover all frames up to it.
    return Flow(nodes, ways, blanks.flip(0).cumsum(0).flip(0))


def _by_frame(flow: Flow, chain: Chain) -> Tensor:
    """Return the sums (N, T, U+1) of a flow by frame and by blank or label."""
    size, frames = chain.blanks.shape
    labels = _diagonals(flow.labels)[..., :frames]
    column = chain.target_lengths.view(1, size, 1).expand(-1, -1, frames)
    behind = flow.nodes[..., :frames].gather(0, column).squeeze(0).cumsum(1)
    blanks = _diagonals(flow.blanks)[..., :frames] + behind
    blanks = blanks.masked_fill(~valid_frames(chain.lengths, frames), 0)
    return torch.cat([blanks.unsqueeze(0), labels]).permute(1, 2, 0)


def _entropy(segments: Segments, completions: Completions) -> tuple[Tensor, Slopes]:
    """Return the entropy H (N,) of the paths, and its derivatives by the log weight of each step.

    By the chain rule it is the entropy of the next step plus the mean entropy of what follows. The
    derivative by the log weight of a step is its share times its excess over the mean.
    """
    label, blank = functional.logsigmoid(segments.lead), functional.logsigmoid(-segments.lead)
    within = torch.zeros_like(segments.weights)
    for z in range(label.shape[1]):
        of_label = completions.labelled[:, z] * (within[:, z] - label[:, z])
        within[:, z + 1] = of_label - completions.blank[:, z] * blank[:, z]
    longest, frames = within.shape[1], within.shape[-1]
    behind = torch.zeros_like(completions.ends)
    own = within - completions.log_shares
    for u in reversed(range(len(own))):
        ways = own[u] + _ahead(behind[u + 1], longest)
        behind[u, :, :frames] = (completions.shares[u] * ways).sum(0)
    own += _ahead(behind[1:], longest) - behind[:-1, None, :, :frames]
    slopes = Slopes(
        segments=completions.shares * own,
        labelled=completions.labelled * (within[:, :-1] - label - within[:, 1:]),
        blank=completions.blank * (-blank - within[:, 1:]),
    )
    return behind[0, :, 0], slopes


def _ahead(values: Tensor, longest: int) -> Tensor:
    """Return `values` (…, N, T+L) of the 1st to L-th frame after each, (…, L, N, T)."""
    return values[..., 1:].unfold(-1, longest, 1).movedim(-1, -3)


def _diagonals(values: Tensor) -> Tensor:
    """Return Σ_z values[…, z, :, t - z] for each t, from (…, L, N, T) to (…, N, T+L)."""
    longest, size, frames = values.shape[-3:]
    width = frames + longest
    # Rows that are one element shorter shift each row by one column against the row above it.
    row = size * width - 1
    flat = functional.pad(values, (0, longest)).flatten(-3)[..., : longest * row]
    sums = flat.view(*values.shape[:-3], longest, row).sum(-2)
    return functional.pad(sums, (0, 1)).view(*values.shape[:-3], size, width)
