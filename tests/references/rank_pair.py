"""Two processes that compute as the ranks of a data-parallel training on the CPU."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import small_components as small
import torch
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from bench.data.reading.ranks import rank_rows
from bench.nn.batch_views import select_rows
from bench.nn.global_batch import (
    from_rank_0,
    gather_rows,
    global_rows,
    rank,
    ranks,
    sample_mean,
)
from bench.nn.global_batch_norm import convert_batch_norms

SIZE = 2


class RankPair:
    """Two ranks that wait for functions to run. Functions have to be of a module they can import.

    Args:
        folder: An empty folder, in which they find each other.
    """

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._doors, self._processes = [], []
        for number in range(SIZE):
            door, inner = context.Pipe()
            process = context.Process(
                target=_serve, args=(number, str(folder / "store"), inner), daemon=True
            )
            process.start()
            self._doors.append(door)
            self._processes.append(process)

    def run(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Return what a function returns on each rank; raise what it raises on any of them."""
        for door in self._doors:
            door.send((function, args))
        answers = [door.recv() for door in self._doors]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def close(self) -> None:
        """End the processes."""
        for door, process in zip(self._doors, self._processes, strict=True):
            door.send(None)
            process.join()


def _serve(number: int, store: str, door: Connection) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{store}",
        rank=number,
        world_size=SIZE,
        timeout=timedelta(seconds=60),
    )
    while task := door.recv():
        function, args = task
        try:
            answer = function(*args)
        except Exception as error:  # noqa: BLE001 (it is the caller's)
            answer = error
        door.send(answer)
    distributed.destroy_process_group()


def train(model, loss, kind, wrapper=None):
    """Return what two steps of a training compute, of which each rank reads its rows.

    An epoch ends between the steps.

    Returns:
        The losses, the gradients and the buffers, as arrays by their names; losses and gradients
        are averaged over ranks as DistributedDataParallel averages them.
    """
    with patch.object(torch.Tensor, "float", lambda tensor: tensor.to(kind)):
        step = small.make_step(model, loss)
        convert_batch_norms(step.to(kind)).train()
        trained = wrapper(step) if wrapper else step
        losses = []
        for number in range(2):
            batch = small.make_batch(model, seed=number)
            batch = batch._replace(inputs=batch.inputs.to(kind))
            # What rank 0 draws decides.
            torch.manual_seed(number + 100 * rank())
            output = trained(select_rows(batch, rank_rows(len(batch.ids), rank(), ranks())))
            output.loss.backward()
            losses.append(output.loss.detach())
            if number == 0:
                step.end_epoch()
    gradients = {
        name: weight.grad for name, weight in step.named_parameters() if weight.grad is not None
    }
    found = {f"loss {number}": _average(value) for number, value in enumerate(losses)}
    found |= {f"buffer {name}": buffer for name, buffer in step.named_buffers()}
    for name, gradient in gradients.items():
        found[f"gradient {name}"] = gradient if trained is not step else _average(gradient)
    return {name: value.double().numpy() for name, value in found.items()}


def wrap(step):
    """Wrap a step as a data-parallel trainer does."""
    return DistributedDataParallel(step, broadcast_buffers=False)


def _average(value: Tensor) -> Tensor:
    """Return the mean over ranks."""
    if ranks() > 1:
        distributed.all_reduce(value)
    return value / ranks()


def gather(rows: list[Any]) -> Any:
    """Return what `gather_rows` makes of the rows of each rank."""
    return gather_rows(torch.tensor(rows[rank()])).tolist()


def draw() -> tuple[float, float]:
    """Return a shared draw, and one of this rank alone, from generators of different seeds."""
    torch.manual_seed(rank())
    return from_rank_0(torch.rand(())).item(), torch.rand(()).item()


def rows(counts: list[int]) -> tuple[int, slice]:
    """Return where the rows of this rank are, if each rank has so many."""
    return global_rows(counts[rank()])


def mean(values: list[list[float]]) -> tuple[float, float]:
    """Return this rank's share of the mean of the values of all, and its gradient in each value."""
    own = torch.tensor(values[rank()], requires_grad=True)
    share = sample_mean(own)
    share.backward()
    return share.item(), own.grad.tolist()
