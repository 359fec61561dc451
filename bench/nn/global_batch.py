"""The global batch of a data-parallel training: the rows that all ranks read in one step.

Ranks are the processes of the default group of `torch.distributed`; outside of one there is a
single rank, and the functions compute what a training on one device computes, to the bit. Each rank
holds a block of consecutive rows, padded as in the global batch, in the order of ranks.

Collectives run where their tensors are. Counts of rows and random draws are on the host, so a group
on GPUs needs a backend for either: `cpu:gloo,cuda:nccl`. No function waits for a GPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed
from torch.nn import functional


def ranks() -> int:
    """Return the number of ranks, 1 outside of `torch.distributed`."""
    return distributed.get_world_size() if _is_distributed() else 1


def rank() -> int:
    """Return the number of this rank, from 0."""
    return distributed.get_rank() if _is_distributed() else 0


def global_rows(count: int) -> tuple[int, slice]:
    """Return the number of rows on all ranks, and which of them are this rank's `count`."""
    counts = _row_counts(count)
    first = sum(counts[: rank()])
    return sum(counts), slice(first, first + count)


def global_sum(values: Tensor) -> Tensor:
    """Return the sum of a tensor over all ranks, without a gradient."""
    if ranks() == 1:
        return values.detach()
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


def global_mean(total: Tensor, count: Tensor) -> Tensor:
    """Return this rank's share of the mean over a global batch, to be averaged over ranks.

    DistributedDataParallel averages gradients, and so are reported losses: the mean over ranks of
    what this returns is Σ total / Σ count, exactly, however uneven the shares are.

    Args:
        total: The sum of the values of this rank, with a gradient.
        count: How many values these are, a scalar on any device. Where there are none on all ranks,
            1 is taken.
    """
    if ranks() == 1:
        return total / count.clamp(min=1)
    counts = global_sum(count.to(total.device, torch.float64, non_blocking=True))
    return total * (ranks() / counts.clamp(min=1)).to(total.dtype)


def sample_mean(values: Tensor) -> Tensor:
    """Return this rank's share of the mean over all samples of values (N,); see `global_mean`."""
    if ranks() == 1:
        return values.mean()
    return global_mean(values.sum(), torch.tensor(len(values)))


def mean_count(counts: Tensor, device: torch.device) -> Tensor:
    """Return the mean over all samples of counts (N,) of the host: the same on all ranks."""
    if ranks() == 1:
        return counts.float().mean()
    sums = torch.tensor([counts.sum(), len(counts)], dtype=torch.float64)
    total, samples = global_sum(sums.to(device, non_blocking=True)).unbind()
    return (total / samples).float()


def from_rank_0(values: Tensor) -> Tensor:
    """Return the values of rank 0 on all ranks, such as random draws; they are on the host.

    Args:
        values: Those of this rank, of the same shape on all ranks; overwritten where it is not 0.
    """
    if ranks() > 1:
        distributed.broadcast(values, 0)
    return values


def global_max(count: int) -> int:
    """Return the largest of the counts of all ranks."""
    return max(_row_counts(count))


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all ranks, in their order and without a gradient.

    Ranks may have different numbers of rows. Where further dimensions differ, all are padded behind
    with zeros to the largest.
    """
    if ranks() == 1:
        return rows
    shapes = torch.empty(ranks(), rows.dim(), dtype=torch.int64)
    distributed.all_gather([*shapes.unbind()], torch.tensor(rows.shape))
    largest = shapes.amax(0).tolist()
    missing = [
        pad
        for size, most in zip(reversed(rows.shape), reversed(largest), strict=True)
        for pad in (0, most - size)
    ]
    padded = functional.pad(rows.detach(), missing).contiguous()
    gathered = [torch.empty_like(padded) for _ in range(ranks())]
    distributed.all_gather(gathered, padded)
    counts = shapes[:, 0].tolist()
    return torch.cat([part[:count] for part, count in zip(gathered, counts, strict=True)])


def _row_counts(count: int) -> list[int]:
    """Return the counts of all ranks."""
    if ranks() == 1:
        return [count]
    counts = torch.empty(ranks(), 1, dtype=torch.int64)
    distributed.all_gather([*counts.unbind()], torch.tensor([count]))
    return [int(count) for count in counts.flatten().tolist()]


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
