"""The processes of a data-parallel training: their process group, and averaged gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import nn
from torch._C._distributed_c10d import Store, TCPStore
from torch.nn.parallel import DistributedDataParallel

from bench.core.errors import BenchError
from bench.core.printable import first_line
from bench.nn.global_batch import from_rank_0

if TYPE_CHECKING:
    from bench.trials.rank import Rank

_MEETING = timedelta(minutes=10)
"""How long a rank tries to reach rank 0."""
_DEVICE = "device"
"""The key under which rank 0 stores what it computes on."""
_LONGEST_WAIT = timedelta(days=1)
"""How long ranks wait for each other: rank 0 alone checks targets and validates meanwhile. A rank
that has ended is noticed by its executor, which ends all others."""


def open_store(rank: Rank) -> tuple[Rank, Store]:
    """Return the rank with the port of the common store, and the store.

    Rank 0 listens at a free port, which the other ranks have to receive.

    Raises:
        BenchError: This machine cannot reach that of rank 0.
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
            f"({first_line(str(error))}); let the machines of the cluster reach each other"
        ) from None
    return replace(rank, port=store.port), store


@contextmanager
def process_group(rank: Rank, store: Store, device: str) -> Iterator[None]:
    """Join the ranks of a training for a `with` block: over gloo, and NCCL between GPUs.

    Raises:
        BenchError: Rank 0 computes on another kind of device.
    """
    if rank.leads:
        store.set(_DEVICE, device)
    elif (leading := store.get(_DEVICE).decode()) != device:
        raise BenchError(
            f"this rank has device '{device}' and rank 0 has '{leading}': fewer GPUs than devices "
            'are visible; lower devices, or set device = "cpu"'
        )
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo",
        store=store,
        rank=rank.number,
        world_size=rank.count,
        timeout=_LONGEST_WAIT,
    )
    yield
    # Not after an error: NCCL would wait for other ranks, and this process is about to end.
    dist.destroy_process_group()


def average_gradients(module: nn.Module) -> DistributedDataParallel:
    """Return a module whose backward pass averages the gradients of all ranks.

    Unused weights are detected in each step, because some losses draw which parts of a network they
    use. Buffers are equal on all ranks without being sent.
    """
    with warnings.catch_warnings():
        # Newer torch has another name for it, which older ones lack.
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated")
        return DistributedDataParallel(
            module,
            broadcast_buffers=False,
            find_unused_parameters=True,
            gradient_as_bucket_view=True,
        )


def require_same_step(done: int) -> None:
    """Require all ranks to resume after the same step.

    Raises:
        BenchError: Another rank has read another checkpoint.
    """
    if (leading := int(from_rank_0(torch.tensor(done)))) != done:
        raise BenchError(
            f"this rank resumes after step {done} and rank 0 after step {leading}; run again, and "
            "let the machines of the cluster share one folder of results"
        )


def is_lost_connection(error: BaseException) -> bool:
    """Return whether an error is a consequence of another rank's end."""
    kinds: tuple[Any, ...] = (dist.DistBackendError, dist.DistNetworkError, dist.DistStoreError)
    words = ("Connection closed by peer", "Connection reset by peer", "gloo")
    return isinstance(error, kinds) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
