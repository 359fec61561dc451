"""Every model and loss of bench with small parameters, and a batch for each model."""

from __future__ import annotations

import torch

from bench.core import registry
from bench.core.types import Batch, InputShape
from bench.recognizers.networks import network as recognizer
from bench.training.step import TrainingStep

CLASSES = 6
SHAPES = {"frames": InputShape(3, 8, 8), "image": InputShape(1, 32, 48)}
FRAMES = 12
MAX_LENGTH = 6

_SMALL = {
    "abinet-vision": {"width": 2, "layers": 1, "max_length": MAX_LENGTH},
    "cnn-attention": {"width": 2, "hidden": 4, "max_length": MAX_LENGTH},
    "cnn-bilstm": {"width": 2, "hidden": 4},
    "crnn": {"width": 2, "hidden": 4},
    "crnn-small": {"width": 4, "hidden": 8},
    "cslr-resnet18": {"width": 2, "hidden": 4},
    "htr-ctc": {"width": 2, "features": 8, "hidden": 4},
    "htr-seq2seq": {"width": 2, "features": 8, "hidden": 4, "max_length": MAX_LENGTH},
    "htr-seq2seq-light": {"width": 2, "features": 8, "hidden": 4, "max_length": MAX_LENGTH},
    "lenetpp": {"width": 2},
    "svtr-tiny": {"heads": 1},
    "vgg-bilstm": {"width": 4, "hidden": 8},
    "vitstr-tiny": {"depth": 1, "heads": 1, "patch_height": 8, "max_length": MAX_LENGTH},
}
_VARIANTS = {
    "ce": [{"teacher_forcing": 0.5, "label_smoothing": 0.1}],
    "radial-ctc": [{"variant": "authors"}],
    "vac": [{"auxiliary": "radial-ctc", "alignment": 0.0}, {"shared": True}],
}
_MASKED = {"htr-ctc": {"masked": True}, "htr-seq2seq": {"masked": True}}


def models(**parameters):
    """Return every model by its name."""
    return {
        name: model(**_SMALL.get(name, {}), **parameters)
        for name, model in registry.builtin("model").items()
    }


def masked_models():
    """Return those models that ignore padding only where they are asked to."""
    kinds = registry.builtin("model")
    return {name: kinds[name](**_SMALL[name], **values) for name, values in _MASKED.items()}


def losses(model, *, variants=True):
    """Return the losses that pair with a model, and variants of them that compute otherwise."""
    return [
        loss(**values)
        for name, loss in registry.builtin("loss").items()
        if model.emits == loss.accepts and (model.visual or not loss.visual)
        for values in ({}, *(_VARIANTS.get(name, []) if variants else []))
        # Both of its features have to be of one size.
        if not values.get("shared") or model.name == "cslr-resnet18"
    ]


def make_step(model, loss, precision="float32"):
    """Return a training step with the weights of seed 0."""
    torch.manual_seed(0)
    network = recognizer.build_network(model, loss, SHAPES[model.accepts], CLASSES)
    return TrainingStep(network, loss, precision)


def make_batch(model, *, varied=True, seed=1):
    """Return five samples: with repeats, without labels, and the last one infeasible.

    They are padded unless they are not `varied`; `seed` decides the pixels.
    """
    shape = SHAPES[model.accepts]
    size = (5, FRAMES, *shape) if model.accepts == "frames" else (5, *shape)
    longest = FRAMES if model.accepts == "frames" else shape.width
    parts = torch.tensor([1, 3 / 4, 2 / 3, 1 / 2, 1 / 3]) if varied else torch.ones(5)
    targets = torch.tensor(
        [
            [1, 2, 3, 0, 0, 0, 0, 0],
            [4, 5, 0, 0, 0, 0, 0, 0],
            [2, 2, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 2, 2, 3, 3, 4, 4],
        ]
    )
    return Batch(
        inputs=torch.rand(size, generator=torch.Generator().manual_seed(seed)),
        lengths=(longest * parts).long(),
        targets=targets,
        target_lengths=torch.tensor([3, 2, 2, 0, 8]),
        key_frames=torch.full_like(targets, -1),
        ids=tuple("abcde"),
        texts=("123", "45", "22", "", "11223344"),
    )
