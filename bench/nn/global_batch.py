"""The global batch of a data-parallel training: the rows that all ranks read in one step.

Ranks are the processes of the default group of `torch.distributed`. Without such a group there is
one rank, and the functions compute the same bits as a training on one device. Each rank has a
block of consecutive rows, padded as in the global batch, in the order of ranks.

Collectives run on the device of their tensors. Counts of rows and random draws are on the host, so
a group on GPUs requires both backends: `cpu:gloo,cuda:nccl`. No function synchronizes with a GPU.
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
    """Return the number of rows on all ranks, and the slice of this rank's `count` rows."""
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

    DistributedDataParallel averages gradients, and bench averages reported losses: the mean of the
    results over ranks is exactly Σ total / Σ count, however uneven the shares are.

    Args:
        total: The sum of the values of this rank, with a gradient.
        count: The number of values, a scalar on any device. A sum of 0 over all ranks counts as 1.
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
    """Return the mean over all samples of counts (N,) on the host; it is equal on all ranks."""
    if ranks() == 1:
        return counts.float().mean()
    sums = torch.tensor([counts.sum(), len(counts)], dtype=torch.float64)
    total, samples = global_sum(sums.to(device, non_blocking=True)).unbind()
    return (total / samples).float()


def from_rank_0(values: Tensor) -> Tensor:
    """Return the values of rank 0, such as random draws, on all ranks.

    Args:
        values: The values of this rank, on the host and of the same shape on all ranks. They are
            overwritten on ranks other than 0.
    """
    if ranks() > 1:
        distributed.broadcast(values, 0)
    return values


def global_max(count: int) -> int:
    """Return the largest of the counts of all ranks."""
    return max(_row_counts(count))


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all ranks, in their order and without a gradient.

    Ranks may have different numbers of rows. Where further dimensions differ, all are padded at the
    end with zeros to the largest.
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
