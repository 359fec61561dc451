from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import count

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape, Targets
from bench.losses.ctc import CTC
from bench.losses.vac import VAC
from bench.models.cslr_resnet18 import CslrResNet18
from bench.tasks.task import run_task
from bench.trials.events import Finished
from bench.trials.store import Store

SMALL = CslrResNet18(width=2, hidden=3)
FRAMES = InputShape(3, 24, 32)


def built(shape=FRAMES, model=SMALL):
    torch.manual_seed(0)
    return model.build(shape)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CTC(), 34_303_072 - 1_328_400),
        (VAC(), 34_303_072),
        (VAC(shared=True), 32_973_376),
    ],
)
def test_parameters_with_1296_classes(loss, expected):
    with torch.device("meta"):
        network = CslrResNet18().build(InputShape(3, 224, 224))
        head = loss.head(network.feature_dims, 1296)
    assert count(network, head) == expected
    parts = [count(network.frame), count(network.temporal), count(network.encoder)]
    assert parts == [11_176_512, 7_870_464, 12_599_296]
    assert network.encoder.lstm.dropout == 0.3


@pytest.mark.parametrize("shape", [FRAMES, InputShape(1, 8, 8), InputShape(3, 65, 33)])
def test_four_frames_become_a_feature(shape):
    network, lengths = built(shape), torch.tensor([9, 4, 1])
    features, found = network(torch.rand(3, 9, *shape), lengths)
    assert found.tolist() == [3, 1, 1]
    assert features.sequence.shape == features.visual.shape == (3, 3, 6)
    assert network.feature_dims == FeatureDims(6, 6)


def test_output_lengths_are_quarters():
    lengths = torch.arange(1, 100)
    expected = [math.ceil(length / 4) for length in lengths.tolist()]
    assert built().output_lengths(lengths).tolist() == expected


@settings(max_examples=10)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 2))
def test_a_clip_is_read_as_if_it_were_alone(lengths, extra):
    network = built().eval()
    clips = torch.rand(len(lengths), max(lengths) + extra, *FRAMES)
    for n, length in enumerate(lengths):
        clips[n, length:] = torch.nan
    together, counts = network(clips, torch.tensor(lengths))
    for n, length in enumerate(lengths):
        alone, (frames,) = network(clips[n : n + 1, :length], torch.tensor([length]))
        assert counts[n] == frames
        for one, all_ in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], all_[n, :frames])


def test_batch_statistics_are_of_real_frames():
    network, alone = built(), built()
    clips, lengths = torch.rand(2, 6, *FRAMES), torch.tensor([6, 2])
    clips[1, 2:] = 1e6
    network(clips, lengths)
    alone.frame(torch.cat([clips[0], clips[1, :2]]))
    for name in ("bn1", "layer4"):
        found, expected = (getattr(net.frame, name).state_dict() for net in (network, alone))
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value)


def test_every_weight_has_a_finite_gradient():
    network = built()
    head = VAC().head(network.feature_dims, 5)
    lengths, target_lengths = torch.tensor([9, 1]), torch.tensor([2, 1])
    features, lengths = network(torch.rand(2, 9, *FRAMES), lengths)
    truth = Targets(lengths, torch.tensor([[1, 2], [3, 0]]), target_lengths)
    VAC().objective(head, features, truth).backward()
    for name, weight in [*network.named_parameters(), *head.named_parameters()]:
        assert weight.grad.isfinite().all(), name
        # A bias below a batch normalization changes nothing.
        assert weight.dim() == 1 or weight.grad.any(), name


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (CslrResNet18(pretrained=True), InputShape(1, 8, 8)),
        (replace(SMALL, pretrained=True), FRAMES),
    ],
)
def test_imagenet_has_weights_of_one_resnet18(model, shape):
    with pytest.raises(BenchError, match="requires frames of 3 channels and width = 64"):
        model.build(shape)


def test_imagenet_weights_are_loaded_only_with_pretrained(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    model = CslrResNet18(hidden=2)
    model.build(FRAMES)
    with pytest.raises(BenchError, match="cannot be downloaded"):
        replace(model, pretrained=True).build(FRAMES)


def test_a_training_with_one_classifier_for_both_stages(evaluations, home):
    training = replace(evaluations[0].training, model=SMALL, loss=VAC(shared=True))
    store = Store(home)
    *_, last = run_task(training, store)
    assert isinstance(last, Finished), last
    record = store.record(training)
    assert all(math.isfinite(epoch.loss) for epoch in record.curve)
    assert record.parameters.total == count(SMALL.build(InputShape(1, 8, 8))) + 6 * 11
