"""A training on two ranks computes what it computes on one device, for every loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import rank_pair
import small_components as small
import torch

from bench.losses.ce import CE
from bench.losses.conclr import ConCLR
from bench.losses.ctc import CTC
from bench.losses.prior_ctc import PriorCTC
from bench.losses.vac import VAC
from bench.nn.global_batch import ranks
from bench.nn.global_batch_norm import GlobalBatchNorm, convert_batch_norms

# Without dropout, whose draws are those of the device.
pytestmark = pytest.mark.usefixtures("one_thread")
MODELS = {
    name: replace(
        model,
        **{
            field: 0.0
            for field in ("dropout", "drop_path", "gate_dropout")
            if hasattr(model, field) and (field != "gate_dropout" or model.gates)
        },
    )
    for name, model in small.models().items()
}
CASES = [
    *((MODELS["cnn-bilstm"], loss) for loss in small.losses(MODELS["cnn-bilstm"])),
    *((MODELS["cnn-attention"], loss) for loss in small.losses(MODELS["cnn-attention"])),
    (MODELS["crnn"], CTC()),
    (MODELS["vitstr-tiny"], CE()),
    (replace(MODELS["htr-ctc"], normalization="batch"), CTC()),
    (replace(MODELS["htr-ctc"], normalization="batch", masked=True), CTC()),
    (replace(MODELS["htr-seq2seq"], normalization="batch"), CE()),
]
# Rounding in float32 changes their gradients by up to 2 %, on one device too.
DEEP_CASES = [
    (MODELS["svtr-tiny"], CTC()),
    (MODELS["cslr-resnet18"], VAC(auxiliary="radial-ctc", alignment=0.0)),
    (MODELS["cslr-resnet18"], VAC(shared=True)),
    (MODELS["abinet-vision"], CE()),
    (MODELS["abinet-vision"], ConCLR()),
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return two ranks for all tests of this module."""
    pair = rank_pair.RankPair(tmp_path_factory.mktemp("ranks"))
    yield pair
    pair.close()


def assert_equal(found, expected, tolerance):
    """Require equal losses, gradients and buffers, relative to the largest value of each kind."""
    assert found.keys() == expected.keys()
    for kind in ("loss", "gradient", "buffer"):
        names = [name for name in expected if name.startswith(kind)]
        scale = max((np.abs(expected[name]).max() for name in names), default=0)
        for name in names:
            difference = np.abs(found[name] - expected[name]).max()
            assert difference <= tolerance * scale, (name, difference / scale)


def _is_fast(model, loss):
    """Return whether a case is tested by default: one with masks and one with a state of a loss."""
    return loss.name in {"prior-ctc", "cr-ctc"}


@pytest.mark.xdist_group("ranks")
@pytest.mark.parametrize(
    ("model", "loss"),
    [
        case if _is_fast(*case) and case in CASES else pytest.param(*case, marks=pytest.mark.slow)
        for case in (*CASES, *DEEP_CASES)
    ],
    ids=lambda part: part.label,
)
def test_two_ranks_compute_what_one_device_computes(pair, model, loss):
    expected = rank_pair.train(model, loss, torch.float64)
    assert np.isfinite(expected["loss 1"])
    for found in pair.run(rank_pair.train, model, loss, torch.float64):
        assert_equal(found, expected, 1e-11)


@pytest.mark.slow
@pytest.mark.xdist_group("ranks")
@pytest.mark.parametrize(("model", "loss"), CASES, ids=lambda part: part.label)
def test_so_they_do_in_float32(pair, model, loss):
    expected = rank_pair.train(model, loss, torch.float32)
    for found in pair.run(rank_pair.train, model, loss, torch.float32):
        assert_equal(found, expected, 1e-5)


@pytest.mark.xdist_group("ranks")
@pytest.mark.parametrize(
    "loss",
    [pytest.param(CTC(), marks=pytest.mark.slow), PriorCTC()],
    ids=lambda loss: loss.name,
)
def test_so_they_do_under_distributed_data_parallel(pair, loss):
    model = MODELS["cnn-bilstm"]
    expected = rank_pair.train(model, loss, torch.float64)
    for found in pair.run(rank_pair.train, model, loss, torch.float64, rank_pair.wrap):
        assert_equal(found, expected, 1e-12)


@pytest.mark.xdist_group("ranks")
def test_rows_of_different_number_and_width_are_gathered(pair):
    rows = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0, 7.0]]]
    expected = [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [5.0, 6.0, 7.0]]
    assert pair.run(rank_pair.gather, rows) == [expected, expected]


@pytest.mark.xdist_group("ranks")
def test_a_shared_draw_is_that_of_the_first_rank(pair):
    torch.manual_seed(0)
    first = torch.rand(()).item()
    (one, own), (two, other) = pair.run(rank_pair.draw)
    assert one == two == first
    assert own != other


@pytest.mark.xdist_group("ranks")
def test_every_rank_knows_its_rows(pair):
    assert pair.run(rank_pair.rows, [3, 2]) == [(5, slice(0, 3)), (5, slice(3, 5))]


@pytest.mark.xdist_group("ranks")
def test_shares_of_a_mean_average_to_it_with_a_rank_that_has_none(pair):
    (one, slopes), (two, none) = pair.run(rank_pair.mean, [[1.0, 2.0, 6.0], []])
    assert ((one + two) / 2, none) == (3.0, [])
    assert [slope / 2 for slope in slopes] == pytest.approx([1 / 3] * 3)


def test_without_ranks_nothing_changes():
    assert ranks() == 1
    network = torch.nn.Sequential(torch.nn.BatchNorm1d(3))
    assert convert_batch_norms(network)[0].__class__ is torch.nn.BatchNorm1d


def test_a_converted_normalization_keeps_names_and_evaluates_as_before():
    norm = torch.nn.BatchNorm2d(3, momentum=0.3).train()
    norm(torch.randn(4, 3, 2, 2))
    converted = GlobalBatchNorm.like(norm)
    assert converted.state_dict().keys() == norm.state_dict().keys()
    assert converted.weight is norm.weight
    inputs = torch.randn(2, 3, 4, 4)
    assert torch.equal(converted.eval()(inputs), norm.eval()(inputs))
