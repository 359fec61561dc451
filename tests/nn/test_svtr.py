from __future__ import annotations

import pytest
import torch

from bench.core.types import InputShape
from bench.nn.svtr import SVTR, Architecture, Merge, window

SIZES = {
    "tiny": (Architecture((64, 128, 256), (3, 6, 3), (2, 4, 8), 6, 192), 4.15),
    "small": (Architecture((96, 192, 256), (3, 6, 6), (3, 6, 8), 8, 192), 8.45),
    "base": (Architecture((128, 256, 384), (3, 6, 9), (4, 8, 12), 8, 256), 22.66),
    "large": (Architecture((192, 256, 512), (3, 9, 9), (6, 8, 16), 10, 384), 38.81),
}
"""The four sizes of the paper, and the millions of parameters it prints."""


def made(architecture, shape=InputShape(3, 32, 100)):  # noqa: B008 (a tuple)
    return SVTR(shape, architecture, dropout=0.1, drop_path=0.1)


@pytest.mark.parametrize("size", SIZES)
def test_the_paper_s_counts_are_these_without_positions(size):
    architecture, millions = SIZES[size]
    with torch.device("meta"):
        network = made(architecture)
    found = sum(parameter.numel() for parameter in network.parameters())
    positions = 8 * 25 * architecture.features[0]
    assert network.positions.numel() == positions
    assert round((found - positions) / 1e6, 2) == millions


def test_a_window_is_7_rows_and_11_columns():
    rows, columns = 9, 14
    seen = window(rows, columns).view(rows, columns, rows, columns)
    for row in range(rows):
        for column in range(columns):
            expected = torch.zeros(rows, columns, dtype=torch.bool)
            expected[max(row - 3, 0) : row + 4, max(column - 5, 0) : column + 6] = True
            assert torch.equal(seen[row, column], expected)


def test_local_blocks_come_first_and_drop_less():
    network = made(SIZES["small"][0], InputShape(1, 16, 16))
    assert [stage.local for stage in network.stages] == [3, 5, 0]
    assert [stage.window is None for stage in network.stages] == [False, False, True]
    drops = [block.drop.p for stage in network.stages for block in stage.blocks]
    assert drops[0] == 0
    assert drops == sorted(drops)
    assert drops[-1] == pytest.approx(0.1)


def test_a_local_stage_sees_its_window_and_a_global_one_everything():
    torch.manual_seed(0)
    for local, far in [(1, False), (0, True)]:
        architecture = Architecture((32,), (2,), (1,), 2 * local, 32)
        stage = made(architecture, InputShape(1, 4, 80)).eval().stages[0]
        tokens = torch.randn(1, 20, 32, requires_grad=True)
        (gradient,) = torch.autograd.grad(stage(tokens)[0, 0].sum(), tokens)
        # Two blocks after each other reach five columns each.
        assert gradient[0, 10].any()
        assert gradient[0, 11:].any() == far


def test_a_merge_halves_rows_alone():
    assert Merge(4, 6)(torch.rand(2, 3 * 5, 4), 5).shape == (2, 2 * 5, 6)
