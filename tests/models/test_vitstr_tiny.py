from __future__ import annotations

import pytest
import torch
from networks import asked, count
from torchvision.models import VisionTransformer

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape, Targets
from bench.losses.ce import CE
from bench.models.vitstr_tiny import VitstrTiny
from bench.nn.feedback import Greedy

WORDS = InputShape(3, 32, 128)
SMALL = VitstrTiny(depth=2, heads=1)


def built(shape=WORDS, model=SMALL):
    torch.manual_seed(0)
    return model.build(shape, 37)


@pytest.mark.parametrize(
    ("model", "shape", "classes", "expected"),
    [
        # The paper's 5.4 million: grey, with 94 characters and two marks.
        (VitstrTiny(patch_height=16, patch_width=16), InputShape(1, 224, 224), 96, 5_444_640),
        (VitstrTiny(), WORDS, 37, 5_389_477),
    ],
)
def test_parameters(model, shape, classes, expected):
    with torch.device("meta"):
        network = model.build(shape, classes)
        head = CE().head(network.feature_dims, classes)
    assert count(network, head) == expected


def test_its_encoder_is_torchvisions():
    ours = built(InputShape(3, 32, 32), VitstrTiny(2, 2, 8, 8, max_length=10)).eval()
    theirs = VisionTransformer(32, 8, 2, 2, 128, 512, num_classes=1).eval()
    theirs.conv_proj.load_state_dict(ours.embedding.state_dict())
    theirs.class_token.data.copy_(ours.token)
    theirs.encoder.pos_embedding.data.copy_(ours.positions)
    theirs.encoder.ln.load_state_dict(ours.norm.state_dict())
    for block, layer in zip([*ours.blocks, ours.last], theirs.encoder.layers, strict=True):
        layer.ln_1.load_state_dict(block.attention_norm.state_dict())
        layer.ln_2.load_state_dict(block.perceptron_norm.state_dict())
        layer.self_attention.in_proj_weight.data.copy_(block.attention.read.weight)
        layer.self_attention.in_proj_bias.data.copy_(block.attention.read.bias)
        layer.self_attention.out_proj.load_state_dict(block.attention.output.state_dict())
        layer.mlp[0].load_state_dict(block.perceptron[0].state_dict())
        layer.mlp[3].load_state_dict(block.perceptron[2].state_dict())
    images = torch.rand(2, 3, 32, 32)
    patches = theirs.conv_proj(images).flatten(2).mT
    tokens = torch.cat([theirs.class_token.expand(2, -1, -1), patches], 1)
    found = ours(images, torch.tensor([32, 32]), asked).sequence
    torch.testing.assert_close(found, theirs.encoder(tokens)[:, 1:12])


def test_it_emits_all_symbols_at_once():
    network = built()
    assert network.feature_dims == FeatureDims(64)
    assert network.steps == 26
    features = network(torch.rand(2, *WORDS), torch.tensor([128, 60]), asked)
    assert features.sequence.shape == (2, 26, 64)
    assert features.visual is None


def test_where_each_symbol_looks():
    network = built().eval()
    images, lengths = torch.rand(2, *WORDS), torch.tensor([128, 60])
    features, maps = network.attend(images, lengths, asked)
    assert torch.equal(features.sequence, network(images, lengths, asked).sequence)
    assert maps.shape == (2, 26, 8, 16)
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 26))


@pytest.mark.parametrize("shape", [WORDS, InputShape(1, 32, 100)])
def test_padding_has_no_say(shape):
    network = built(shape).eval()
    images, lengths = torch.rand(2, *shape), torch.tensor([shape.width, 41])
    images[1, ..., 41:] = torch.nan
    together = network(images, lengths, asked).sequence
    alone = network(images[1:, ..., :41], lengths[1:], asked).sequence
    torch.testing.assert_close(together[1:], alone)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        (InputShape(1, 30, 128), "patches of 4 rows do not divide images 30 pixels high"),
        (InputShape(1, 4, 200), "has 25 patches of 4×8, too few for 25 symbols and EOS"),
        (InputShape(1, 32, 0), "images of one width"),
    ],
)
def test_images_it_cannot_read_are_refused(shape, problem):
    with pytest.raises(BenchError, match=problem):
        SMALL.build(shape, 37)


@pytest.mark.slow
def test_it_learns_four_words_by_heart():
    network = built(InputShape(1, 16, 32), VitstrTiny(depth=2, heads=1, max_length=3))
    head = CE().head(network.feature_dims, 5)
    images, lengths = torch.rand(4, 1, 16, 32), torch.tensor([32] * 4)
    targets = torch.tensor([[1, 2, 3], [4, 4, 0], [3, 0, 0], [2, 1, 0]])
    truth = Targets(torch.full((4,), 4), targets, torch.tensor([3, 2, 1, 2]))
    weights = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        CE().objective(head, network(images, lengths, asked), truth).backward()
        optimizer.step()
    read = head(network(images, lengths, Greedy(head)).sequence).argmax(2)
    assert [row[: n + 1].tolist() for row, n in zip(read, truth.label_lengths, strict=True)] == [
        [1, 2, 3, 0],
        [4, 4, 0],
        [3, 0],
        [2, 1, 0],
    ]
