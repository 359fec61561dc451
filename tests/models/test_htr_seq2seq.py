from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape
from bench.losses.ce import CE
from bench.models.htr_seq2seq import HtrSeq2seq
from bench.models.htr_seq2seq_light import HtrSeq2seqLight
from bench.nn.feedback import Greedy

LINE = InputShape(1, 64, 0)


def light(**parameters):
    return HtrSeq2seqLight(gates=0, **parameters)


COUNTS = [
    (HtrSeq2seq(), 1_779_474),
    (HtrSeq2seq(normalization="batch"), 1_782_936),
    (light(), 1_384_210),
    (light(normalization="batch"), 1_387_672),
    (light(recurrence="gru"), 1_236_242),
    (HtrSeq2seqLight(), 1_518_354),
    (HtrSeq2seqLight(gates=2), 1_652_498),
    (HtrSeq2seqLight(gates=3), 1_786_642),
    (HtrSeq2seqLight(separable=1), 1_014_252),
    (HtrSeq2seqLight(separable=2), 1_143_782),
    (HtrSeq2seqLight(separable=3), 1_273_312),
    (HtrSeq2seqLight(separable=4), 1_402_842),
    (HtrSeq2seqLight(features=384), 1_880_466),
    (HtrSeq2seqLight(attention=192), 1_485_394),
    (HtrSeq2seqLight(attention=384), 1_584_274),
    (HtrSeq2seqLight(attention=512), 1_650_194),
]
BUFFERS = 2 * 864 + 6
"""Means, variances and counters of six batch normalizations: the thesis counts them as well."""


def trained(model, shape, classes):
    """Return the weights of a model and of its linear classifier."""
    network = model.build(shape, classes)
    parts = network, CE().head(network.feature_dims, classes)
    return sum(weight.numel() for part in parts for weight in part.parameters())


@pytest.mark.parametrize(("model", "expected"), COUNTS)
def test_entries_with_the_classifier_of_81_classes_are_as_the_thesis_counts_them(model, expected):
    network = model.build(LINE, 81)
    head = CE().head(network.feature_dims, 81)
    entries = [*network.state_dict().values(), *head.state_dict().values()]
    assert sum(entry.numel() for entry in entries) == expected
    buffers = BUFFERS if model.normalization == "batch" else 0
    assert trained(model, LINE, 81) == expected - buffers


@pytest.mark.parametrize("height", [64, 128])
def test_positions_and_rows_cost_no_weights(height):
    model = HtrSeq2seqLight(encoder="positional-2d", feature_height=8)
    assert trained(model, InputShape(1, height, 0), 81) == 1_518_354


def test_80_classes_have_321_weights_less_than_81():
    assert trained(HtrSeq2seq(), LINE, 81) - trained(HtrSeq2seq(), LINE, 80) == 321


def small(height=64, **parameters):
    torch.manual_seed(0)
    sizes = {"width": 2, "features": 8, "embedding": 3, "hidden": 5}
    if parameters.get("encoder") == "rnn":
        sizes["encoder_hidden"] = 2
    model = HtrSeq2seqLight(**sizes, attention=4, max_length=6, **parameters)
    return model.build(InputShape(1, height, 0), 11).eval()


def endless(network):
    torch.manual_seed(1)
    head = torch.nn.Linear(network.feature_dims.sequence, 11)
    torch.nn.init.constant_(head.bias, 0)
    head.bias.data[0] = -1e6
    return head


def lines(width=90, height=64):
    return torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("encoder", ["none", "rnn", "positional", "positional-2d"])
@pytest.mark.parametrize("recurrence", ["lstm", "gru"])
def test_it_emits_a_feature_a_symbol_and_at_most_one_more_than_max_length(encoder, recurrence):
    network = small(encoder=encoder, recurrence=recurrence)
    assert (network.feature_dims, network.steps) == (FeatureDims(5), 7)
    features = network(lines(), torch.tensor([90, 60]), Greedy(endless(network)))
    assert features.sequence.shape == (2, 7, 5)
    assert features.visual is None


@pytest.mark.parametrize(
    ("height", "rows", "columns"), [(64, 1, 22), (64, 4, 22), (64, 8, 22), (128, 8, 11)]
)
@pytest.mark.parametrize("gates", [0, 1])
def test_maps_cover_the_image_and_say_where_a_call_looks(height, rows, columns, gates):
    network = small(height, feature_height=rows, gates=gates)
    given = lines(90, height), torch.tensor([90, 80]), Greedy(endless(network))
    features, maps = network.attend(*given)
    assert maps.shape == (2, 7, rows, columns)
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 7))
    assert not maps[..., : 4 * gates].any()
    assert not maps[..., columns - 4 * gates :].any()
    stride = 90 // columns
    assert not maps[1, ..., 80 // stride - 4 * gates :].any()
    called = network(given[0], given[1], Greedy(endless(network)))
    assert torch.equal(called.sequence, features.sequence)


@pytest.mark.parametrize("gates", [0, 1])
@pytest.mark.parametrize("width", [61, 64])
def test_masked_a_line_reads_in_a_wider_batch_as_it_does_alone(gates, width):
    network = small(gates=gates, masked=True, feature_height=4)
    together = network(lines(), torch.tensor([90, width]), Greedy(endless(network)))
    alone = network(lines()[1:, ..., :width], torch.tensor([width]), Greedy(endless(network)))
    torch.testing.assert_close(together.sequence[1:], alone.sequence)


def test_narrower_than_its_gates_a_line_is_read_all_the_same():
    network = small(gates=3)
    features, maps = network.attend(lines(5), torch.tensor([5, 1]), Greedy(endless(network)))
    assert features.sequence.isfinite().all()
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 7))


@pytest.mark.parametrize(
    ("model", "parameters", "said"),
    [
        (HtrSeq2seqLight, {"encoder_hidden": 7}, "'encoder_hidden' has no effect"),
        (HtrSeq2seq, {"gate_dropout": 0.9}, "'gate_dropout' has no effect"),
        (HtrSeq2seq, {"encoder": "positional-2d", "features": 1}, "set features to at least 2"),
    ],
)
def test_what_nothing_could_read_is_refused(model, parameters, said):
    with pytest.raises(BenchError, match=said):
        model(**parameters)


def test_gates_that_leave_a_single_pixel_are_refused():
    shape = InputShape(1, 32, 100)
    HtrSeq2seqLight(gates=2).build(shape, 11)
    HtrSeq2seqLight(gates=3, feature_height=2, encoder="positional-2d").build(shape, 11)
    with pytest.raises(
        BenchError, match="gates = 3 leave fewer than two columns of lines 100 pixels"
    ):
        HtrSeq2seqLight(gates=3).build(shape, 11)


def test_a_bilstm_reads_one_row():
    with pytest.raises(BenchError, match="feature_height = 4 leaves more; set encoder to"):
        HtrSeq2seq(feature_height=4)


def test_a_height_that_halving_does_not_bring_down_is_refused():
    with pytest.raises(
        BenchError, match=r"a height of 60 pixels does not give 1 rows .* 4, 8, … or 64"
    ):
        HtrSeq2seq().build(InputShape(1, 60, 0), 81)
