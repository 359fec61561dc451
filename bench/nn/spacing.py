"""CTC over paths whose labels are spaced about equally: likelihood and entropy.

A path is cut into segments, one a label: the blanks before the label's run, and the run. Only paths
count none of whose segments is longer than a limit, nor the blanks behind the last. L is the
largest limit; a segment is known by its label u, its first frame a and its length z.

So the lattice has two levels: a recursion over lengths gives the weight of every segment, and one
over labels chains them from the last to the first. No loop is over frames. In log space forward;
backward, shares of the paths are handed from node to node, each a product of shares. `NEVER` is
that of `bench.nn.lattice`.
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

_NOTHING = 1e-18
"""Smaller shares count as none: the products of two stay clear of slow denormal numbers."""


def limits(targets: Targets, tau: float) -> Tensor:
    """Return the most frames (N,) that a segment may have: ⌊τ (T/U + 1)⌋, and T without labels.

    They are on the host, as the lengths of targets are: the largest decides a shape.

    For τ ≥ 1 it is at least 2 and at least T/(U+1) wherever T ≥ U. So there is room for a blank
    between equal labels and for all T frames: what CTC can align has a path here, too.
    """
    lengths, _, target_lengths = targets
    # In double precision and a hair up: 1.2 · (4 + 1) must not become 5.
    mean = lengths.double() / target_lengths.clamp(min=1)
    limit = (tau * (mean + 1) + 1e-9).clamp(max=lengths).long()
    return limit.where(target_lengths > 0, lengths)


def spaced_likelihood(log_probs: Tensor, targets: Targets, tau: float) -> Tensor:
    """Return the log sum (N,) of the spaced paths, below `NEVER` / 2 where there is none.

    Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy Regularization"
    (NeurIPS 2018), equal spacing CTC. `log_probs` (N, T, C); without a path there is no gradient.
    """
    emissions = _emissions(log_probs, targets.labels)
    found: Tensor = _Likelihood.apply(emissions, targets, limits(targets, tau))
    return found


def spaced_alignments(log_probs: Tensor, targets: Targets, tau: float) -> tuple[Tensor, Tensor]:
    """Return the log sum of the spaced paths and their entropy in nats, each (N,).

    The entropy is that of p(π | l, π is spaced); 0, and without a gradient, where there is no path.
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
            found = _completions(chain, _segments(chain))
            likelihood[rows] = found.likelihood
            _put(gamma, rows, _by_frame(_posteriors(found), chain))
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
            found = _completions(chain, segments)
            likelihood[rows] = found.likelihood
            entropy[rows], slopes = _entropy(segments, found)
            flow = _posteriors(found)
            _put(gamma, rows, _by_frame(flow, chain))
            _put(spread, rows, _by_frame(_raised(found, flow, slopes), chain))
        ctx.save_for_backward(gamma, spread)
        return likelihood, entropy

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gamma, spread = tuple(ctx.saved_tensors)
        likelihood, entropy = gradients
        whole = likelihood[:, None, None] * gamma + entropy[:, None, None] * spread
        return whole, None, None


class Chain(NamedTuple):
    """A group of samples with limits alike, time last.

    `blanks` (N, T) and `labels` (U, N, T) are log p of blank, 0 on padding, and of each label,
    `NEVER` on padding; `repeats` (U, N, 1) says which labels equal the one before. `tails`
    (U+1, N, T+1) is log p of nothing but blanks from frame t on, where U of the sample's labels are
    behind and the limit allows it, else `NEVER`. `limits`, `lengths`, `target_lengths` are (N,);
    `longest` is L.
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
    """All segments: log sums `weights` (U, L, N, T) of the paths within, by z - 1 and a.

    `lead` (U, L-1, N, T) is by how much, of the first z frames, those weigh more that end in the
    label than those that are all blank.
    """

    weights: Tensor
    lead: Tensor


class Completions(NamedTuple):
    """What may come after each frame, and of each way on the share.

    `ends` (U+1, N, T+L) is the log sum of the endings that begin with label u on frame t,
    `log_shares` and `shares` (U, L, N, T) are those of its segments by length, `labelled` and
    `blank` (U, L-1, N, T) those of the two kinds of a segment's frame z, given label at z + 1.
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
    """By how much more probable ways raise the entropy; of the shapes of their shares."""

    segments: Tensor
    labelled: Tensor
    blank: Tensor


class Flow(NamedTuple):
    """What is handed on by shares from the first node to the last, and where it stands then.

    `nodes` (U+1, N, T+L) is what comes to each end of a segment, `labels` (U, L, N, T) what each
    segment's z-th frame has of it as label, `blanks` (L-1, N, T) as blank, all labels together.
    """

    nodes: Tensor
    labels: Tensor
    blanks: Tensor


def _emissions(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Return log p (N, T, U+1) of blank and of each label."""
    classes = functional.pad(targets, (1, 0), value=BLANK)
    return log_probs.gather(2, classes.unsqueeze(1).expand(-1, log_probs.shape[1], -1))


def _chains(emissions: Tensor, targets: Targets, limits: Tensor) -> Iterator[tuple[Tensor, Chain]]:
    """Yield the rows of each group with limits alike, and their chain.

    Memory goes with the product of the most longest and the largest limit. Short labels have large
    limits: in one group with long ones they would cost many times what they do apart.
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
        truth = Targets(sizes, labels[rows, :longest], counts)
        yield rows, _chain(emissions[rows, :frames, : longest + 1], truth, limits[members])


def _chain(emissions: Tensor, targets: Targets, limits: Tensor) -> Chain:
    labels, longest = targets.labels, int(limits.max())
    device = labels.device
    lengths, label_lengths, limits = (
        part.to(device, non_blocking=True)
        for part in (targets.lengths, targets.label_lengths, limits)
    )
    frames, count = emissions.shape[1], labels.shape[1]
    valid = valid_frames(lengths, frames)
    blanks, shown = emissions.permute(2, 0, 1).contiguous().tensor_split([1])
    blanks = blanks.squeeze(0).masked_fill(~valid, 0)
    before = functional.pad(labels, (1, 0), value=BLANK)[:, :-1]
    left = functional.pad(blanks.flip(1).cumsum(1).flip(1), (0, 1))
    # Between frames: t = 0 is before the first one, t = T behind the last.
    time = torch.arange(frames + 1, device=device)
    rest = lengths.unsqueeze(1) - time
    left = left.masked_fill((rest < 0) | (rest > limits.unsqueeze(1)), NEVER)
    done = torch.arange(count + 1, device=device).unsqueeze(1) == label_lengths
    return Chain(
        blanks=blanks,
        labels=shown.masked_fill(~valid, NEVER),
        repeats=(labels == before).T.unsqueeze(2),
        tails=left.where(done.unsqueeze(2), NEVER),
        limits=limits,
        lengths=lengths,
        target_lengths=label_lengths,
        longest=longest,
    )


def _put(whole: Tensor, rows: Tensor, part: Tensor) -> None:
    """Write `part` (n, t, u) of a group into its rows of `whole` (N, T, U+1)."""
    whole[rows, : part.shape[1], : part.shape[2]] = part


def _segments(chain: Chain) -> Segments:
    labels, longest = chain.labels, chain.longest
    size, frames = chain.blanks.shape
    weights = labels.new_full((len(labels), longest, size, frames), NEVER)
    blanks = labels.new_full((longest, size, frames), NEVER)
    # A label that equals the one before begins with a blank, else the two would be merged.
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
        # Of the two at most one is possible: no path goes on behind its last label.
        ends[u, :, :frames] = ends[u, :, :frames].maximum(log_shares[u].logsumexp(0))
    here = ends[:-1, None, :, :frames]
    shares = (log_shares.sub_(here)).exp().masked_fill_(here <= NEVER / 2, 0)
    return Completions(
        ends=ends,
        log_shares=log_shares,
        shares=functional.threshold(shares, _NOTHING, 0),
        labelled=functional.threshold(segments.lead.sigmoid(), _NOTHING, 0),
        blank=functional.threshold((-segments.lead).sigmoid(), _NOTHING, 0),
    )


def _posteriors(found: Completions) -> Flow:
    """Return γ of every node: how much of the probability of all paths passes through it."""
    none = found.shares.new_zeros(())
    kinds = (found.shares, found.labelled, found.blank)
    begin = (found.likelihood > NEVER / 2).to(none.dtype)
    return _flow(found, begin, Slopes(*(none.expand_as(kind) for kind in kinds)))


def _raised(found: Completions, gamma: Flow, slopes: Slopes) -> Flow:
    """Return ∂H/∂e of every node: handed on as γ is, and joined on the way by what γ meets."""
    here = gamma.nodes[:-1, None, :, : found.shares.shape[-1]]
    later = gamma.labels[:, 1:]
    more = Slopes(here * slopes.segments, later * slopes.labelled, later * slopes.blank)
    return _flow(found, torch.zeros_like(found.likelihood), more)


def _flow(found: Completions, begin: Tensor, more: Slopes) -> Flow:
    """Hand `begin` (N,) on by shares, and `more` of each way, from the first label to the last."""
    frames = found.shares.shape[-1]
    nodes, ways = torch.zeros_like(found.ends), torch.empty_like(found.shares)
    nodes[0, :, 0] = begin
    for u, way in enumerate(ways):
        torch.addcmul(more.segments[u], nodes[u, :, :frames], found.shares[u], out=way)
        nodes[u + 1, :, 1:] = functional.hardshrink(_diagonals(way)[:, :-1], _NOTHING)
    # And within the segments from the last frame to the first.
    for z in reversed(range(ways.shape[1] - 1)):
        ways[:, z] += torch.addcmul(more.labelled[:, z], ways[:, z + 1], found.labelled[:, z])
    blanks = torch.addcmul(more.blank, ways[:, 1:], found.blank).sum(0)
    # The blanks end on frame z: they stand on all the frames up to it.
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


def _entropy(segments: Segments, found: Completions) -> tuple[Tensor, Slopes]:
    """Return the entropy H (N,) of the paths, and how it answers to each share.

    By the chain rule: the entropy of the next step, and the mean of what is behind each way on. A
    way that adds w to the log weight of its paths raises H by its share times what it has above
    the mean.
    """
    label, blank = functional.logsigmoid(segments.lead), functional.logsigmoid(-segments.lead)
    within = torch.zeros_like(segments.weights)
    for z in range(label.shape[1]):
        of_label = found.labelled[:, z] * (within[:, z] - label[:, z])
        within[:, z + 1] = of_label - found.blank[:, z] * blank[:, z]
    longest, frames = within.shape[1], within.shape[-1]
    behind = torch.zeros_like(found.ends)
    own = within - found.log_shares
    for u in reversed(range(len(own))):
        ways = own[u] + _ahead(behind[u + 1], longest)
        behind[u, :, :frames] = (found.shares[u] * ways).sum(0)
    own += _ahead(behind[1:], longest) - behind[:-1, None, :, :frames]
    slopes = Slopes(
        segments=found.shares * own,
        labelled=found.labelled * (within[:, :-1] - label - within[:, 1:]),
        blank=found.blank * (-blank - within[:, 1:]),
    )
    return behind[0, :, 0], slopes


def _ahead(values: Tensor, longest: int) -> Tensor:
    """Return `values` (…, N, T+L) of the 1st to L-th frame after each, (…, L, N, T)."""
    return values[..., 1:].unfold(-1, longest, 1).movedim(-1, -3)


def _diagonals(values: Tensor) -> Tensor:
    """Return Σ_z values[…, z, :, t - z] for each t, from (…, L, N, T) to (…, N, T+L)."""
    longest, size, frames = values.shape[-3:]
    width = frames + longest
    # Cut into rows that are one shorter, each stands one further to the right than that above it.
    row = size * width - 1
    flat = functional.pad(values, (0, longest)).flatten(-3)[..., : longest * row]
    sums = flat.view(*values.shape[:-3], longest, row).sum(-2)
    return functional.pad(sums, (0, 1)).view(*values.shape[:-3], size, width)
