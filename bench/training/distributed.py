"""The processes of a data-parallel training: how they meet, and what they tell each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import Store, TCPStore
from torch.nn.parallel import DistributedDataParallel

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.trials.rank import Rank

_MEETING = timedelta(minutes=10)
"""How long ranks wait for each other: a GPU may be busy with its first kernels for minutes."""


def open_store(rank: Rank) -> tuple[Rank, Store]:
    """Return the rank with the port at which ranks meet, and the store behind it.

    Rank 0 listens at a free port, which the others have to be given.

    Raises:
        BenchError: The others' machine cannot reach that of rank 0.
    """
    try:
        store = TCPStore(
            rank.host,
            rank.port,
            rank.count,
            is_master=rank.leads,
            timeout=_MEETING,
            wait_for_workers=False,
        )
    except (RuntimeError, ValueError) as error:
        raise BenchError(
            f"rank {rank.number} of {rank.count} cannot meet rank 0 at {rank.host}:{rank.port} "
            f"({str(error).splitlines()[0]}); let the machines of the cluster reach each other"
        ) from None
    return replace(rank, port=store.port), store


@contextmanager
def process_group(rank: Rank, store: Store, device: str) -> Iterator[None]:
    """Join the ranks of a training, over NCCL on GPUs and gloo on CPUs, for a `with` block."""
    dist.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        store=store,
        rank=rank.number,
        world_size=rank.count,
        timeout=_MEETING,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()


def averaging_gradients(module: nn.Module) -> nn.Module:
    """Return a module whose backward pass averages the gradients of all ranks.

    Parameters that a batch does not use are looked for in each step: some losses draw which parts
    of a network they use. Buffers are equal on all ranks without being sent.
    """
    wrapped = DistributedDataParallel(
        module, broadcast_buffers=False, find_unused_parameters=True, gradient_as_bucket_view=True
    )
    return cast("nn.Module", wrapped)


def mean_over_ranks(value: Tensor) -> Tensor:
    """Return the mean of a tensor over all ranks, without waiting for the device."""
    value = value.detach().clone()
    dist.all_reduce(value)
    return value / dist.get_world_size()


def sum_over_ranks(value: int, device: str) -> int:
    """Return the sum of a number over all ranks."""
    total = torch.tensor(value, device=device)
    dist.all_reduce(total)
    return int(total)


def from_rank_0(value: float, device: str) -> float:
    """Return the number that rank 0 has."""
    sent = torch.tensor(value, dtype=torch.float64, device=device)
    dist.broadcast(sent, 0)
    return float(sent)


def is_lost_connection(error: BaseException) -> bool:
    """Return whether an error only says that another rank has ended."""
    kinds: tuple[Any, ...] = (dist.DistBackendError, dist.DistNetworkError, dist.DistStoreError)
    words = ("Connection closed by peer", "Connection reset by peer", "gloo")
    return isinstance(error, kinds) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
