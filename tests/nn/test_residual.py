from __future__ import annotations

import math

import pytest
import torch
from networks import count
from torch import nn
from torchvision.models import resnet18 as torchvisions

from bench.core.errors import BenchError
from bench.nn.residual import PairedBlock, SampledConv2d, imagenet_weights, resnet18, resnet45


def test_resnet18_is_torchvisions():
    torch.manual_seed(0)
    theirs = torchvisions(weights=None)
    theirs.fc = nn.Identity()
    ours = resnet18(3, 64)
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 40, 56)
    torch.testing.assert_close(ours(images), theirs(images))
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (33, 17)])
def test_resnet18_reads_frames_of_any_size(size):
    assert resnet18(1, 2)(torch.rand(3, 1, *size)).shape == (3, 16)


def test_resnet45_quarters_both_sides():
    with torch.device("meta"):
        network = resnet45(3, 32)
        images = torch.rand(2, 3, 32, 128)
    assert network(images).shape == (2, 512, 8, 32)
    assert count(network) == 12_994_784
    assert resnet45(1, 2)(torch.rand(2, 1, 9, 30)).shape == (2, 32, 3, 8)


def test_resnet45_has_45_weighted_layers_but_for_shortcuts():
    with torch.device("meta"):
        network = resnet45(3, 32)
    blocks = [module for module in network.modules() if isinstance(module, PairedBlock)]
    convolutions = [
        module
        for block in blocks
        for module in block.residual.modules()
        if isinstance(module, nn.Conv2d)
    ]
    # The stem is the 45th; the paper's own classifier is not counted.
    assert 1 + len(convolutions) == 45
    shortcuts = [not isinstance(block.shortcut, nn.Identity) for block in blocks]
    assert [number for number, kept in enumerate(shortcuts) if kept] == [0, 3, 7, 13, 19]


@pytest.mark.parametrize("network", [resnet18(3, 8), resnet45(3, 8)], ids=["18", "45"])
def test_convolutions_are_drawn_as_he_draws_them(network):
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 2_000:
            expected = math.sqrt(2 / (module.out_channels * math.prod(module.kernel_size)))
            assert module.weight.std().item() == pytest.approx(expected, rel=0.1)
            assert module.bias is None


def test_a_paired_block_keeps_what_it_is_given_where_its_convolutions_are_zero():
    block = PairedBlock(4, 4)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
    images = torch.rand(2, 4, 3, 5)
    torch.testing.assert_close(block(images), images)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return torch's folder of weights, empty, on a machine that reaches nothing."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_weights_at_hand_are_read(hub):
    theirs = torchvisions(weights=None)
    # The published file is older than the count of batches.
    counted = {n: v for n, v in theirs.state_dict().items() if not n.endswith("tracked")}
    torch.save(counted, hub / "resnet18-f37072fd.pth")
    found = imagenet_weights()
    assert not any(name.startswith("fc") for name in found)
    resnet18(3, 64).load_state_dict(found)
    torch.testing.assert_close(found["layer3.1.conv2.weight"], theirs.layer3[1].conv2.weight.data)


def test_weights_out_of_reach_end_in_a_sentence(hub):
    with pytest.raises(BenchError, match=r"put https\S+ into \S+/checkpoints by hand, or set"):
        imagenet_weights()


def test_a_sampled_convolution_is_a_strided_one():
    torch.manual_seed(0)
    sampled, plain = SampledConv2d(4, 8, 2), torch.nn.Conv2d(4, 8, 1, 2, bias=False)
    plain.load_state_dict(sampled.state_dict())
    images = torch.randn(2, 4, 7, 9)
    torch.testing.assert_close(sampled(images), plain(images))


@pytest.mark.parametrize("width", [4, 12])
def test_narrow_networks_train_with_channels_last(width):
    torch.manual_seed(0)
    network = resnet45(1, width)
    images = torch.randn(8, 1, 32, 64)
    expected = network(images).detach()
    network = network.to(memory_format=torch.channels_last)
    for _ in range(2):
        features = network(images)
        torch.testing.assert_close(features.detach(), expected, atol=1e-2, rtol=1e-2)
        gradients = torch.autograd.grad(features.square().mean(), [*network.parameters()])
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert all(gradient.any() for gradient in gradients)
