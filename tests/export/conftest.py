"""Records of finished trainings, with real networks and their initial weights."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import save

from bench.config import bench_toml
from bench.core.types import InputShape
from bench.data.inputs import images
from bench.evaluation.protocols import STR_36
from bench.recognizers.networks import network as networks
from bench.trials import grid
from bench.trials import store as disk
from bench.trials.specs import Trial
from bench.trials.store import Store

SUITE = """\
[suite.words]
protocol = "str-36"
datasets = ["iiit5k"]
models = [{model}]
losses = ["{loss}"]
recipe = {{ epochs = 1, batch_size = 8, learning_rate = 0.01 }}
"""
CRNN = '{ name = "crnn", width = 2, hidden = 4 }'


class WrittenTraining(NamedTuple):
    """A trial, and the store with the record of its training."""

    trial: Trial
    store: Store

    @property
    def training(self):
        return self.trial.trainings[0]

    @property
    def folder(self):
        return self.store.folder(self.training)


@pytest.fixture(autouse=True)
def _threads(one_thread):
    """Compute in one thread."""


@pytest.fixture
def write_training(prepared, make_training_record):
    """Return a function that writes the record of a training of a model on words."""

    def write_training(model=CRNN, loss="ctc"):
        (prepared / "bench.toml").write_text(SUITE.format(model=model, loss=loss))
        config = bench_toml.load(prepared / "bench.toml")
        [trial] = grid.trials(config.suite("words"))
        [training] = trial.trainings
        shown, vocabulary = training.input, [*STR_36.charset]
        shape = InputShape(shown.channels, shown.height, shown.width)
        torch.manual_seed(0)
        network = networks.build_network(
            training.model, training.loss, shape, len(vocabulary) + 1
        ).eval()
        _vary(network, shape)
        content = save(network.state_dict())
        store = Store(config.results)
        folder = store.begin(training)
        (folder / disk.WEIGHTS).write_bytes(content)
        record = make_training_record(
            training,
            vocabulary=vocabulary,
            input_shape=[*shape],
            files={disk.WEIGHTS: hashlib.sha256(content).hexdigest()},
        )
        disk.write(folder / disk.TRAINING, record)
        return WrittenTraining(trial, store)

    return write_training


def _vary(network, shape):
    """Change an untrained network so that it reads different texts on different images.

    Normalizations have the statistics of noise, LSTMs large weights, and logits a mean of zero.
    """
    width = shape.width or 80
    noise = torch.rand(8, shape.channels, 4, 8).round() * 2 - 1
    noise = torch.nn.functional.interpolate(noise, (shape.height, width))
    lengths = torch.full((8,), width)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
            if isinstance(module, torch.nn.LSTM):
                for weight in module.parameters():
                    weight.mul_(5)
        network.train()(noise, lengths)
        logits, _ = network.eval()(noise, lengths)
        network.head.bias -= logits.mean((0, 1))


@pytest.fixture(scope="session")
def words():
    """Return a function that makes encoded images of strokes, in several sizes."""

    def words(count):
        generator = np.random.default_rng(0)
        encoded = []
        for number in range(count):
            pixels = np.full((20 + number % 30, 50 + 9 * (number % 20), 3), 230, np.uint8)
            for _ in range(9):
                top, start = generator.integers(0, 12), generator.integers(0, pixels.shape[1] - 4)
                pixels[top : top + generator.integers(2, 20), start : start + 3] = 20
            encoded.append(images.encode_png(pixels))
        return encoded

    return words
