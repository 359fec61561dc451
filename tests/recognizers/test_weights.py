"""The recognizer `weights`: files, mappings, and texts of images."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import foreign_networks as foreign
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Workplace
from bench.core.types import InputShape
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.networks import network as networks
from bench.recognizers.networks.mappings import MAPPINGS
from bench.recognizers.networks.parameters import parse_loss, parse_model

WORKPLACE = Workplace("cpu", 1, Path("cache"))
SMALL = {"name": "vgg-bilstm", "width": 2, "hidden": 6}


def word(width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (20, width, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return EncodedSample(f"word-{seed}", (out.getvalue(),))


WORDS = [word(60, 0), word(31, 1), word(200, 2)]


@pytest.fixture
def checkpoint(tmp_path):
    """Return a checkpoint of clovaai's network at a small size."""
    original = foreign.randomized(foreign.Clovaai(2, 6, 37))
    state = {f"module.{name}": value for name, value in original.state_dict().items()}
    torch.save(state, tmp_path / "small.pth")
    return original, str(tmp_path / "small.pth")


def weights_recognizer(path, **parameters):
    table = {"weights": path, "mapping": "clovaai-crnn", "model": SMALL} | parameters
    return registry.make("recognizer", "weights", table)


def greedy(logits, characters):
    """Return the text of logits (T, C): repeats merged, blanks removed."""
    best = logits.argmax(-1).tolist()
    merged = [c for i, c in enumerate(best) if c and (not i or c != best[i - 1])]
    return "".join(characters[c - 1] for c in merged)


def test_images_are_read_as_by_the_original_network(checkpoint):
    original, path = checkpoint
    characters = MAPPINGS["clovaai-crnn"].alphabet
    with weights_recognizer(path).open(WORKPLACE) as reader:
        readings = reader.read(WORDS)
        assert reader.alphabet == frozenset(characters)
        assert reader.parameters == sum(weight.numel() for weight in original.parameters())
    for sample, reading in zip(WORDS, readings, strict=True):
        image = Image.open(io.BytesIO(sample.images[0])).convert("L")
        pixels = np.array(image.resize((100, 32), Image.Resampling.BICUBIC), np.float32)
        with torch.inference_mode():
            logits = original(torch.from_numpy(pixels / 127.5 - 1)[None, None])[0]
        assert reading.text == greedy(logits, characters)
        probability = logits.softmax(-1).amax(-1).prod()
        assert reading.confidence == pytest.approx(float(probability), rel=1e-3)


def test_ratios_can_be_kept_and_a_reading_does_not_depend_on_its_batch(checkpoint):
    _, path = checkpoint
    with weights_recognizer(path, input={"width": 0}, confidence="mean").open(WORKPLACE) as reader:
        together = reader.read(WORDS)
        alone = [reader.read([sample])[0] for sample in WORDS]
    assert [one.text for one in together] == [one.text for one in alone]
    assert all(0 < one.confidence < 1 for one in together)


def test_weights_of_a_training_are_read_by_the_mapping_of_bench(tmp_path):
    torch.manual_seed(0)
    model, loss = {"name": "crnn", "width": 2, "hidden": 4}, "enctc"
    network = networks.build_network(
        parse_model(model), parse_loss(loss), InputShape(1, 32, 100), 4
    )
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    reader = registry.make(
        "recognizer",
        "weights",
        {
            "weights": str(tmp_path / "weights.safetensors"),
            "model": model,
            "loss": loss,
            "alphabet": "abc",
            "decoder": {"name": "beam", "width": 4},
        },
    )
    with reader.open(WORKPLACE) as opened:
        readings = opened.read(WORDS)
    assert len(readings) == len(WORDS)
    assert all(set(reading.text) <= set("abc") for reading in readings)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"mapping": "clovaai"}, "there is no mapping 'clovaai'; did you mean"),
        ({"mapping": "bench", "model": "crn"}, "there is no model 'crn'"),
        ({"alphabet": "abc", "alphabet_file": "x"}, "alphabet and alphabet_file are both set"),
        ({"loss": "ce"}, "model 'vgg-bilstm' emits frames, but loss 'ce' accepts seq2seq"),
        (
            {"mapping": "parseq-vitstr", "model": "vitstr-tiny", "decoder": "beam"},
            "does not support",
        ),
        (
            {"mapping": "vac", "model": "cslr-resnet18", "input": "clovaai"},
            "reads clips, but preset",
        ),
        ({"input": {"hight": 3}}, "there is no key 'hight'"),
    ],
)
def test_contradicting_parameters_are_an_error(parameters, fault):
    with pytest.raises(BenchError) as raised:
        weights_recognizer("weights.pth", **parameters).architecture()
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({}, "mapping 'bench' has no model; set model"),
        ({"model": "crnn"}, "has no alphabet; set alphabet"),
    ],
)
def test_parameters_that_a_mapping_lacks_must_be_set(table, fault):
    with pytest.raises(BenchError, match=fault):
        registry.make("recognizer", "weights", {"weights": "w.pth"} | table).architecture()


def test_a_file_with_another_sha256_is_an_error(checkpoint):
    _, path = checkpoint
    with (
        pytest.raises(BenchError, match="not sha256 = '00'; download the file again"),
        weights_recognizer(path, sha256="00").open(WORKPLACE),
    ):
        pass


def test_an_alphabet_of_another_length_names_the_classifier(checkpoint):
    _, path = checkpoint
    with (
        pytest.raises(BenchError, match=r"'module.Prediction.weight' has the shape \(37, 6\)"),
        weights_recognizer(path, alphabet="abc").open(WORKPLACE),
    ):
        pass


def test_the_key_has_the_values_of_the_mapping(checkpoint):
    _, path = checkpoint
    spec = weights_recognizer(path).spec()["parameters"]
    assert spec["model"]["name"] == "vgg-bilstm"
    assert spec["input"]["interpolation"] == "bicubic"
    assert "".join(spec["alphabet"]) == "0123456789abcdefghijklmnopqrstuvwxyz"
    assert spec != weights_recognizer(path, input={"width": 0}).spec()["parameters"]
    assert spec == weights_recognizer(path, input="clovaai").spec()["parameters"]
    checked = weights_recognizer(path, sha256="00")
    assert spec == checked.spec()["parameters"], "its content decides, checked or not"
    assert checked.label == weights_recognizer(path).label
    assert json.loads(json.dumps(spec)) == spec


def test_the_toml_of_a_recognizer_equals_its_parameters(checkpoint):
    _, path = checkpoint
    one = weights_recognizer(path, input={"width": 0}, decoder={"name": "beam", "width": 3})
    table = one.toml()
    assert table.pop("name") == "weights"
    assert registry.make("recognizer", "weights", table) == one
    assert one.label.startswith(
        "weights(weights=small.pth, mapping=clovaai-crnn, model=vgg-bilstm("
    )


def test_files_of_the_decoder_are_found_from_the_folder_of_bench_toml(tmp_path, checkpoint):
    _, path = checkpoint
    (tmp_path / "words.txt").write_text("abc\n")
    table = {
        "weights": Path(path).name,
        "decoder": {"name": "lexicon", "words": "words.txt"},
    }
    located = registry.find("recognizer", "weights").located(table, tmp_path)
    assert located["weights"] == path
    assert located["decoder"]["words"] == str(tmp_path / "words.txt")


def test_clips_are_read_as_glosses(tmp_path):
    original = foreign.randomized(foreign.Vac(8, 4))
    torch.save({"model_state_dict": original.state_dict(), "epoch": 3}, tmp_path / "vac.pt")
    (tmp_path / "glosses.txt").write_text("REGEN\nSONNE\nWIND\n")
    recognizer = registry.make(
        "recognizer",
        "weights",
        {
            "weights": str(tmp_path / "vac.pt"),
            "mapping": "vac",
            "model": {"name": "cslr-resnet18", "hidden": 4},
            "alphabet_file": str(tmp_path / "glosses.txt"),
            "input": {"size": 40, "crop": 32},
        },
    )
    assert recognizer.accepts == "frames"
    clips = [
        EncodedSample(f"clip-{count}", tuple(word(50, n).images[0] for n in range(count)))
        for count in (9, 5)
    ]
    with recognizer.open(WORKPLACE) as reader:
        readings = reader.read(clips)
        assert reader.alphabet is None
    for clip, reading in zip(clips, readings, strict=True):
        frames = []
        for encoded in clip.images:
            pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)
            frames.append(cv2.resize(pixels, (40, 40))[4:36, 4:36].transpose(2, 0, 1))
        with torch.inference_mode():
            logits = original(torch.from_numpy(np.stack(frames)).float() / 127.5 - 1)
        best = logits.argmax(-1).tolist()
        merged = [c for i, c in enumerate(best) if c and (not i or c != best[i - 1])]
        assert reading.text == " ".join(("REGEN", "SONNE", "WIND")[c - 1] for c in merged)
