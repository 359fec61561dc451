"""The emulated device counts what waits on a real one, and refuses what that refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bench.testing.emulated_cuda import DEVICE, EmulatedCuda, MixedDevicesError

WAITING = {
    "item": lambda x: x[0, 0].item(),
    "bool": lambda x: bool((x > 0).all()),
    "float": lambda x: float(x.sum()),
    "tolist": lambda x: x.tolist(),
    "cpu": lambda x: x.cpu(),
    "to": lambda x: x.to("cpu", non_blocking=True),
    "copy_": lambda x: torch.empty(2, 3).copy_(x),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
    "masked_select": lambda x: x.masked_select(x > 0),
    "unique": lambda x: x.unique(),
    "repeat": lambda x: x[0].repeat_interleave(torch.arange(3, device=x.device)),
    "host index": lambda x: x[torch.tensor([0, 1])],
    "list index": lambda x: x[[0, 1]],
    "constant": lambda x: x.where(x > 0, torch.tensor(0.0)),
    "tensor": lambda x: torch.tensor([1.0, 2.0], device=x.device),
    "blocking copy": lambda _: torch.ones(2).to(DEVICE),
}
IMMEDIATE = {
    "moved": lambda _: torch.ones(2).to(DEVICE, non_blocking=True),
    "made": lambda x: torch.arange(3, device=x.device) + x.new_full((3,), 2.0),
    "scalar of the host": lambda x: x / torch.tensor(2.0),
    "constant": lambda x: x.where(x > 0, 0),
    "device index": lambda x: x[torch.zeros(2, dtype=torch.int64, device=x.device)],
    "in place": lambda x: x.clone().masked_fill_(x > 0, 0).add_(1),
    "ctc": lambda x: functional.ctc_loss(
        x.new_zeros(4, 1, 3),
        x.new_ones(1, 2).long(),
        torch.tensor([4]),
        torch.tensor([2]),
        reduction="none",
    ),
}


@pytest.mark.parametrize("name", WAITING)
def test_it_counts_what_waits(name):
    values = torch.tensor([[1.0, -1.0, 2.0], [0.5, 3.0, -2.0]])
    with EmulatedCuda() as cuda:
        moved = values.to("cuda:0", non_blocking=True)
        assert cuda.waits == []
        WAITING[name](moved)
    assert len(cuda.waits) == 1


@pytest.mark.parametrize("name", IMMEDIATE)
def test_it_does_not_count_what_does_not_wait(name):
    with EmulatedCuda() as cuda:
        IMMEDIATE[name](torch.tensor([[1.0, -1.0, 2.0]]).to("cuda:0", non_blocking=True))
    assert cuda.waits == []


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x, host: x + host,
        lambda x, host: x.masked_fill(host > 0, 0),
        lambda x, host: torch.cat([x, host]),
        lambda x, host: x.gather(1, host.long()),
        functional.linear,
    ],
)
def test_it_refuses_operands_of_two_devices(mixed):
    with EmulatedCuda() as cuda:
        moved = torch.ones(2, 3).to("cuda:0")
        cuda.clear()
        with pytest.raises(MixedDevicesError, match="cuda:0"):
            mixed(moved, torch.ones(2, 3))


def test_it_makes_no_arrays():
    with EmulatedCuda():
        moved = torch.ones(2).to("cuda:0")
        with pytest.raises(TypeError, match="copy it to the host"):
            moved.numpy()
        with pytest.raises(TypeError, match="copy it to the host"):
            np.asarray(moved)


def test_it_names_the_line_of_bench_that_waits():
    from bench.nn.ctc_functions import valid_frames

    with EmulatedCuda() as cuda:
        lengths = torch.tensor([1, 2]).to("cuda:0", non_blocking=True)
        valid_frames(lengths, 3, torch.device("cpu"))
    [wait] = cuda.reads
    assert wait.reason == "copy to the host"
    assert wait.location.startswith("nn/ctc_functions.py:")


def test_gradients_are_those_of_the_cpu():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3))
    lstm = torch.nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)
    inputs = torch.randn(2, 1, 5, 6)

    def gradients(inputs):
        maps = network(inputs).flatten(2).transpose(1, 2)
        (lstm(maps)[0] ** 2).sum().backward()
        return [part.grad for part in (*network.parameters(), *lstm.parameters())]

    expected = gradients(inputs)
    for part in (network, lstm):
        part.zero_grad()
    with EmulatedCuda() as cuda:
        cuda.move(network)
        cuda.move(lstm)
        found = gradients(inputs.to("cuda:0"))
        assert {gradient.device for gradient in found} == {DEVICE}
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.held, other)
