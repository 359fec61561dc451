"""Networks of other projects and those of bench have the same logits for the same weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import foreign_networks as foreign
import pytest
import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.recognizers.networks import network as networks
from bench.recognizers.networks.mapped_weights import load_mapped_weights
from bench.recognizers.networks.mappings import MAPPINGS, find_mapping
from bench.recognizers.networks.parameters import parse_loss, parse_model

END = 18
THESIS = [END, *range(1, END), *range(END + 1, 81)]
"""The classes of the thesis in the order of bench."""


@pytest.fixture(autouse=True)
def _one_thread():
    """Compute in one thread, because the networks are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Case(NamedTuple):
    """A network of another project, and its counterpart in bench.

    `columns` are the classes there of the classes here; None: the same.
    """

    mapping: str
    build: Callable[[], nn.Module]
    model: Any
    shape: InputShape
    classes: int
    prefix: str = ""
    columns: list[int] | None = None


def without_start(network):
    """Return a network that never predicts the start, which has no class in bench."""
    with torch.no_grad():
        network.decoder.linear.bias[0] = -100
    return network


def cases():
    """Yield a small case per mapping."""
    gray, color = InputShape(1, 32, 100), InputShape(3, 32, 128)
    vgg = {"name": "vgg-bilstm", "width": 2, "hidden": 6}
    crnn = {"width": 2, "hidden": 6}
    for name, prefix in (("clovaai-crnn", "module."), ("clovaai-crnn-sensitive", "")):
        yield Case(name, partial(foreign.Clovaai, 2, 6, 11), vgg, gray, 11, prefix)
    tall = InputShape(1, 64, 100)
    yield Case("easyocr-english-g2", partial(foreign.Clovaai, 2, 6, 11), vgg, tall, 11, "module.")
    yield Case(
        "meijieru-crnn", partial(foreign.NamedCRNN, 2, 6, 11), {"name": "crnn", **crnn}, gray, 11
    )
    yield Case(
        "parseq-crnn",
        partial(foreign.NamedCRNN, 2, 6, 11, parseq=True),
        {"name": "crnn", "bias": False, **crnn},
        color,
        11,
        "model.",
    )
    yield Case(
        "post-crnn",
        partial(foreign.PostCRNN, 2, 6, 11),
        {"name": "crnn", "join": False, "bias": False, **crnn},
        InputShape(3, 32, 100),
        11,
    )
    small = {"name": "crnn-small", **crnn}
    yield Case("nano-ocr", partial(foreign.NanoOCR, 2, 6, 11), small, InputShape(1, 32, 128), 11)
    patches = {"name": "vitstr-tiny", "heads": 1}
    original = partial(foreign.TimmViTSTR, 1, 11, (4, 8), 128, 3)
    yield Case("parseq-vitstr", original, patches, color, 11, "model.")
    yield Case(
        "roatienza-vitstr",
        partial(foreign.TimmViTSTR, 1, 12, 16, 28, 1),
        patches | {"patch_height": 16, "patch_width": 16},
        InputShape(1, 64, 112),
        11,
        "module.vitstr.",
        [*range(1, 12)],
    )
    vision = {"name": "abinet-vision", "width": 2}
    yield Case("abinet-vision", partial(foreign.AbinetVision, 2, 11), vision, color, 11)
    original = partial(foreign.AbinetVision, 2, 11)
    yield Case("parseq-abinet-vision", original, vision, color, 11, "model.vision.")
    frames = InputShape(3, 32, 32)
    clips = {"name": "cslr-resnet18", "hidden": 4}
    yield Case("vac", partial(foreign.Vac, 8, 11), clips, frames, 11)
    yield Case("vac-linear", partial(foreign.Vac, 8, 11, normed=False), clips, frames, 11)
    line = InputShape(1, 64, 96)
    for light in (False, True):
        name = "htr-seq2seq-light" if light else "htr-seq2seq"
        yield Case(
            f"htr-thesis-{name.removeprefix('htr-')}",
            partial(foreign.ThesisSeq2seq, 5, light=light),
            {"name": name, "max_length": 4},
            line,
            80,
            columns=THESIS,
        )
    batched = {"name": "htr-ctc", "normalization": "batch"}
    yield Case("htr-thesis-ctc", partial(foreign.ThesisBaseline, 81), batched, line, 81)


CASES = [*cases()]


def state_of(case, original=None):
    """Return the weights of the original by their names in files, with prefixes and infixes."""
    original = original or case.build()
    state = {case.prefix + name: value for name, value in original.state_dict().items()}
    if case.mapping == "vac":
        state = {name.replace("conv2d.", "conv2d.module."): each for name, each in state.items()}
    return state


def counterpart(case):
    """Return the network of bench with other initial weights."""
    mapping = find_mapping(case.mapping)
    torch.manual_seed(1)
    model, loss = parse_model(case.model), parse_loss(mapping.loss)
    return networks.build_network(model, loss, case.shape, case.classes).eval()


def loaded(case, original):
    """Return the network of bench with the weights of the original."""
    network = counterpart(case)
    load_mapped_weights(
        network, state_of(case, original), find_mapping(case.mapping), "weights.pth"
    )
    return network


def test_every_mapping_has_a_counterpart():
    assert sorted({case.mapping for case in CASES} | {"bench"}) == sorted(MAPPINGS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.mapping)
def test_the_same_weights_give_the_same_logits(case):
    original = foreign.randomized(case.build())
    if hasattr(original, "decoder"):
        without_start(original)
    network = loaded(case, original)
    generator = torch.Generator().manual_seed(2)
    with torch.inference_mode():
        if case.mapping.startswith("vac"):
            clip = torch.rand(9, *case.shape, generator=generator)
            theirs = original(clip)[None]
            ours, _ = network(clip[None], torch.tensor([9]))
        else:
            images = 2 * torch.rand(2, *case.shape, generator=generator) - 1
            theirs = original(images)
            ours, _ = network(images, torch.full((2,), case.shape.width))
    if case.columns:
        theirs = theirs[..., case.columns]
    assert theirs.std() > 0.01, "logits that say nothing"
    assert ours.shape[1] >= 1
    torch.testing.assert_close(ours, theirs[:, : ours.shape[1]], rtol=1e-3, atol=1e-4)


PUBLISHED = {
    "clovaai-crnn": (
        foreign.Clovaai,
        (64, 256, 37),
        {
            "FeatureExtraction.ConvNet.0.weight": (64, 1, 3, 3),
            "FeatureExtraction.ConvNet.11.weight": (512, 256, 3, 3),
            "FeatureExtraction.ConvNet.12.running_var": (512,),
            "FeatureExtraction.ConvNet.18.bias": (512,),
            "SequenceModeling.0.rnn.weight_ih_l0_reverse": (1024, 512),
            "SequenceModeling.0.linear.weight": (256, 512),
            "SequenceModeling.1.rnn.weight_ih_l0": (1024, 256),
            "Prediction.weight": (37, 256),
        },
        44,
    ),
    "easyocr-english-g2": (
        foreign.Clovaai,
        (32, 256, 97),
        {
            "FeatureExtraction.ConvNet.0.weight": (32, 1, 3, 3),
            "FeatureExtraction.ConvNet.14.weight": (256, 256, 3, 3),
            "SequenceModeling.0.rnn.weight_ih_l0": (1024, 256),
            "Prediction.bias": (97,),
        },
        44,
    ),
    "meijieru-crnn": (
        foreign.NamedCRNN,
        (64, 256, 37),
        {
            "cnn.conv0.weight": (64, 1, 3, 3),
            "cnn.conv6.bias": (512,),
            "cnn.batchnorm4.running_mean": (512,),
            "rnn.0.embedding.weight": (256, 512),
            "rnn.1.embedding.weight": (37, 512),
        },
        None,
    ),
    "nano-ocr": (
        foreign.NanoOCR,
        (64, 256, 66),
        {"cnn.16.weight": (512, 512, 2, 2), "rnn.weight_ih_l0": (1024, 512), "fc.bias": (66,)},
        None,
    ),
    "parseq-vitstr": (
        foreign.TimmViTSTR,
        (6, 95, (4, 8), 128, 3),
        {
            "pos_embed": (1, 129, 384),
            "patch_embed.proj.weight": (384, 3, 4, 8),
            "blocks.11.attn.qkv.weight": (1152, 384),
            "blocks.0.mlp.fc1.weight": (1536, 384),
            "head.weight": (95, 384),
        },
        None,
    ),
    "parseq-abinet-vision": (
        foreign.AbinetVision,
        (32, 95),
        {
            "backbone.resnet.layer3.5.conv2.weight": (128, 128, 3, 3),
            "backbone.pos_encoder.pe": (256, 1, 512),
            "attention.pos_encoder.pe": (26, 1, 512),
            "cls.weight": (95, 512),
        },
        None,
    ),
    "htr-thesis-seq2seq": (
        lambda: foreign.ThesisSeq2seq(98, light=False),
        (),
        {
            "decoder.emb.weight": (81, 64),
            "encoder.rnn.weight_ih_l0": (512, 256),
            "decoder.attention.encoder_conv.weight": (256, 256, 1),
            "decoder.attention.decoder_linear.1.weight": (256, 256),
        },
        None,
    ),
}
"""Full sizes: the original network, its arguments, published shapes and number of tensors."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_shapes_fit_the_model_of_the_mapping(name):
    build, arguments, shapes, tensors = PUBLISHED[name]
    with torch.device("meta"):
        original = build(*arguments)
    state = original.state_dict()
    assert {key: tuple(state[key].shape) for key in shapes} == shapes
    counted = [key for key in state if not key.endswith("num_batches_tracked")]
    assert tensors in {None, len(counted), len(state)}
    mapping = find_mapping(name)
    model, loss = parse_model(mapping.model), parse_loss(mapping.loss)
    classes = len(mapping.alphabet) + 1
    color = name.startswith("parseq")
    height = 64 if name.startswith(("easyocr", "htr")) else 32
    shape = InputShape(3 if color else 1, height, 128)
    with torch.device("meta"):
        network = networks.build_network(model, loss, shape, classes)
        # It raises an error if a name or a shape does not fit.
        load_mapped_weights(network, state, mapping, "weights.pth")


def clovaai():
    """Return the first case."""
    return CASES[0]


def refused(case, state):
    """Return the error message of weights that do not fit."""
    with pytest.raises(BenchError) as raised:
        load_mapped_weights(counterpart(case), state, find_mapping(case.mapping), "weights.pth")
    return str(raised.value)


def test_a_weight_of_another_shape_is_named_with_both_shapes():
    case = clovaai()
    state = state_of(case) | {"module.Prediction.weight": torch.zeros(38, 6)}
    assert refused(case, state) == (
        "weights.pth: weight 'module.Prediction.weight' has the shape (38, 6), but the model needs "
        "(11, 6) for 'head.weight'; set the parameters of the model, its input or its alphabet"
    )


def test_missing_weights_are_named():
    case = clovaai()
    state = state_of(case)
    for part in ("weight", "bias"):
        del state[f"module.SequenceModeling.1.linear.{part}"]
    assert "has no weights for 'model.encoder.project.weight', 'model." in refused(case, state)


def test_unknown_weights_are_named_and_counted():
    case = clovaai()
    more = {f"module.Transformation.{n}": torch.zeros(1) for n in range(5)}
    sentence = refused(case, state_of(case) | more)
    assert "that are not in mapping 'clovaai-crnn'" in sentence
    assert "'module.Transformation.0'," in sentence
    assert "and 2 more; choose another mapping" in sentence


def test_weights_without_a_layer_are_named():
    case = next(case for case in CASES if case.mapping == "meijieru-crnn")
    plain = case._replace(model=case.model | {"bias": False})
    assert "has weights for layers that the model does not have: 'cnn.conv2.bias'" in refused(
        plain, state_of(case)
    )


def test_weights_of_half_precision_are_read():
    case = clovaai()
    network = counterpart(case)
    half = {name: value.half() for name, value in state_of(case).items()}
    load_mapped_weights(network, half, find_mapping(case.mapping), "weights.pth")
    assert network.head.weight.dtype == torch.float32


def test_an_unknown_mapping_is_an_error_with_the_nearest():
    with pytest.raises(BenchError, match="did you mean 'clovaai-crnn'"):
        find_mapping("clovaai-crn")
