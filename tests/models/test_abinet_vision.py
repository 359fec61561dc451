from __future__ import annotations

import pytest
import torch
from networks import asked, count
from plain_abinet import attend

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape, Targets
from bench.losses.ce import CE
from bench.losses.conclr import ConCLR
from bench.models.abinet_vision import AbinetVision
from bench.nn.feedback import Greedy

WORDS = InputShape(3, 32, 128)
SMALL = AbinetVision(width=2, layers=1)


def built(shape=WORDS, model=SMALL, seed=0):
    torch.manual_seed(seed)
    return model.build(shape, 37)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CE(), 23_547_461),
        (ConCLR(), 23_547_461 + 328_320),
        (ConCLR(embedding=256), 23_547_461 + 393_984),
    ],
)
def test_parameters_with_37_classes(loss, expected):
    with torch.device("meta"):
        network = AbinetVision().build(WORDS, 37)
        head = loss.head(network.feature_dims, 37)
    assert count(network, head) == expected
    assert count(network.image[1]) == 9_457_152
    assert count(network.attention) == 1_076_544


def test_it_is_what_one_would_first_write():
    network = built(model=AbinetVision(width=4, layers=2)).eval()
    images = torch.rand(3, *WORDS)
    features, maps = network.attend(images, torch.tensor([128] * 3), asked)
    for found, expected in zip((features.sequence, maps), attend(network, images), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_it_emits_all_symbols_at_once():
    network = built()
    assert network.feature_dims == FeatureDims(32)
    assert network.steps == 26
    features = network(torch.rand(2, *WORDS), torch.tensor([128, 128]), asked)
    assert features.sequence.shape == (2, 26, 32)
    assert features.visual is None


def test_where_each_symbol_looks():
    maps = built().attend(torch.rand(2, *WORDS), torch.tensor([128, 60]), asked)[1]
    assert maps.shape == (2, 26, 8, 32)
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 26))


@pytest.mark.parametrize("shape", [WORDS, InputShape(1, 32, 100), InputShape(1, 9, 21)])
def test_padding_has_no_say(shape):
    network = built(shape).eval()
    images, short = torch.rand(2, *shape), shape.width // 2
    together = network(images, torch.tensor([shape.width, short]), asked).sequence
    alone = network(images[1:, ..., :short], torch.tensor([short]), asked).sequence
    torch.testing.assert_close(together[1:], alone)
    images[1, ..., short:] = torch.nan
    again = network(images, torch.tensor([shape.width, short]), asked).sequence
    assert torch.equal(again, together)


def test_every_weight_has_a_finite_gradient():
    network = built()
    head = ConCLR().head(network.feature_dims, 5)
    truth = Targets(torch.full((6,), 26), torch.tensor([[1, 2]] * 6), torch.tensor([2] * 6))
    features = network(torch.rand(6, *WORDS), torch.tensor([128] * 6), asked)
    ConCLR().objective(head, features, truth).backward()
    for name, weight in [*network.named_parameters(), *head.named_parameters()]:
        assert weight.grad.isfinite().all(), name
        # A bias below a batch normalization changes nothing.
        assert weight.dim() == 1 or weight.grad.any(), name


def test_images_of_many_widths_are_refused():
    with pytest.raises(BenchError, match=r"model 'abinet-vision' .* images of one width"):
        SMALL.build(InputShape(3, 32, 0), 37)


@pytest.mark.slow
def test_it_learns_four_words_by_heart():
    shape = InputShape(1, 16, 32)
    network = built(shape, AbinetVision(width=4, layers=1, dropout=0.0, max_length=3))
    head = CE().head(network.feature_dims, 5)
    images, lengths = torch.rand(4, *shape), torch.tensor([32] * 4)
    targets = torch.tensor([[1, 2, 3], [4, 4, 0], [3, 0, 0], [2, 1, 0]])
    truth = Targets(torch.full((4,), 4), targets, torch.tensor([3, 2, 1, 2]))
    weights = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=2e-3)
    for _ in range(60):
        optimizer.zero_grad()
        CE().objective(head, network(images, lengths, asked), truth).backward()
        optimizer.step()
    network.eval()
    feedback = Greedy(head)
    read = head(network(images, lengths, feedback).sequence).argmax(2)
    assert feedback.steps == 0
    assert [row[: n + 1].tolist() for row, n in zip(read, truth.label_lengths, strict=True)] == [
        [1, 2, 3, 0],
        [4, 4, 0],
        [3, 0],
        [2, 1, 0],
    ]
