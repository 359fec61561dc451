"""Recognizers of other packages, and the errors if they are not installed."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
from dataclasses import replace
from importlib import metadata

import pytest
from PIL import Image, ImageDraw, ImageFont

from bench.core import registry
from bench.core.errors import BenchError
from bench.data.reading.encoded_samples import EncodedSample

EXTRAS = {"easyocr": "easyocr", "rapidocr": "rapidocr", "huggingface": "transformers"}


def lacking(module: str) -> bool:
    return importlib.util.find_spec(module) is None


def word(text: str) -> EncodedSample:
    font = ImageFont.load_default(size=48)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 16, int(bottom - top) + 16), "white")
    ImageDraw.Draw(image).text((8 - left, 8 - top), text, fill="black", font=font)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return EncodedSample(text, (stream.getvalue(),))


@pytest.fixture
def words() -> list[EncodedSample]:
    return [word("Library"), word("HOUSE")]


@pytest.fixture
def make(tmp_path):
    """Return a function that builds a recognizer of another package."""

    def make(name, **parameters):
        kind = registry.find("recognizer", name)
        return registry.make("recognizer", name, kind.located(parameters, tmp_path))

    return make


@pytest.mark.parametrize("name", EXTRAS)
def test_a_package_that_is_not_installed_is_named_with_its_extra(make, reading, tmp_path, name):
    if not lacking(EXTRAS[name]):
        pytest.skip(f"{EXTRAS[name]} is installed")
    (tmp_path / "config.json").write_text("{}")
    recognizer = make(name, **({name: "."} if name == "huggingface" else {}))
    sentence = (
        rf"which is not installed; install it with: pip install 'recognition-bench\[{name}\]'"
    )
    for ask in (recognizer.spec, lambda: reading(recognizer).__enter__()):
        with pytest.raises(BenchError, match=sentence):
            ask()


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_tesseract_reads_words(make, workplace, words):
    recognizer = make("tesseract", psm=8)
    # Its threads wait for each other by spinning, which takes seconds on a busy machine.
    with recognizer.open(replace(workplace, threads=1)) as reader:
        readings = reader.read(words)
        assert [r.text for r in readings] == ["Library", "HOUSE"]
        assert all(r.confidence > 0.5 for r in readings)
    spec = recognizer.spec()
    assert spec["program"].startswith("tesseract 5")
    assert [*spec["models"]] == ["eng"]
    with pytest.raises(BenchError, match=r"there is no language 'xxx' in .*; install it"):
        make("tesseract", lang="eng+xxx").spec()


# Prints what tesseract prints: versions, languages, and a TSV for a list of images.
FAKE = """\
case "$1" in
--version) printf 'tesseract 5.9.9\\n leptonica-1.0\\n Found AVX\\n';;
--list-langs) printf 'List of available languages in "%s/" (1):\\neng\\n' "${0%/*}";;
*) shift 2; printf 'level\\tpage_num\\n'; page=0; while read -r path; do page=$((page + 1))
printf '1\\t%s\\t0\\t0\\t0\\t0\\t0\\t0\\t9\\t9\\t-1\\t\\n' $page
[ $page = 2 ] || for word in "$OMP_THREAD_LIMIT" "$*"; do
printf '5\\t%s\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t9\\t90.0\\t%s\\n' $page "$word"; done; done < "$list";;
esac
"""


@pytest.fixture
def fake_tesseract(tmp_path, monkeypatch):
    """Put a program called tesseract on PATH; return a function that replaces it."""

    def install(body):
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\nlist=$1\n{body}")
        program.chmod(0o755)

    (tmp_path / "eng.traineddata").write_bytes(b"network")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    install(FAKE)
    return install


def test_tesseract_is_called_once_per_batch_with_its_parameters(
    make, reading, samples, fake_tesseract
):
    recognizer = make("tesseract", psm=7, oem=1, whitelist="ab")
    with reading(recognizer) as reader:
        first, second, third = reader.read(samples[:3])
        assert reader.alphabet == frozenset("ab")
    arguments = "--psm 7 --oem 1 -l eng -c tessedit_char_whitelist=ab tsv"
    assert first == third
    assert (first.text, first.confidence) == (f"2 {arguments}", 0.9)
    assert (second.text, second.confidence) == ("", None)
    assert recognizer.spec()["program"] == "tesseract 5.9.9, leptonica-1.0"
    assert recognizer.training_data == ("400,000 rendered text lines in 4,500 fonts",)
    assert make("tesseract", oem=0).training_data is None


def test_the_key_of_tesseract_depends_on_its_version_and_languages(make, fake_tesseract, tmp_path):
    recognizer = make("tesseract")
    before = recognizer.spec()
    assert make("tesseract", timeout=1).spec() == before
    (tmp_path / "eng.traineddata").write_bytes(b"another network")
    assert recognizer.spec() != before
    before = recognizer.spec()
    fake_tesseract(FAKE.replace("5.9.9", "5.9.10"))
    assert recognizer.spec() != before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("echo no model >&2; exit 1;", "ended with exit code 1; its last line .*: 'no model'"),
        ("printf '1\\t1\\n'; exit;", "printed 1 pages for 5 images"),
    ],
)
def test_a_tesseract_that_fails_is_an_error(make, reading, samples, fake_tesseract, body, sentence):
    with reading(make("tesseract")) as reader:
        fake_tesseract(body)
        with pytest.raises(BenchError, match=sentence):
            reader.read(samples)


def test_a_tesseract_that_is_not_installed_is_an_error(make, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="no program 'tesseract'; install it, on Debian with"):
        make("tesseract").spec()


@pytest.mark.skipif(lacking("easyocr"), reason="easyocr is not installed")
@pytest.mark.parametrize("ratio", ["padded", "kept", "stretched"])
def test_easyocr_reads_words(make, reading, words, ratio):
    recognizer = make("easyocr", ratio=ratio)
    with reading(recognizer) as reader:
        readings = reader.read(words)
        assert [r.text for r in readings] == ["Library", "HOUSE"]
        assert all(0.5 < r.confidence <= 1 for r in readings)
        assert reader.parameters == 3_781_345
        assert "a" in reader.alphabet
    assert recognizer.spec()["package"] == {"easyocr": metadata.version("easyocr")}


@pytest.mark.skipif(lacking("easyocr"), reason="easyocr is not installed")
def test_pickled_objects_are_not_loaded_by_easyocr(make, reading, tmp_path):
    import pickle

    (tmp_path / "bad.pth").write_bytes(pickle.dumps(print))
    recognizer = make("easyocr", weights="bad.pth")
    with pytest.raises(BenchError, match="not a file of weights"), reading(recognizer):
        pass


@pytest.mark.skipif(lacking("rapidocr"), reason="rapidocr is not installed")
def test_rapidocr_reads_words(make, reading, words, tmp_path):
    recognizer = make("rapidocr")
    with reading(recognizer) as reader:
        readings = reader.read(words)
        assert [r.text for r in readings] == ["Library", "HOUSE"]
        assert all(0.5 < r.confidence <= 1 for r in readings)
        assert {"a", "é", " "} <= reader.alphabet
    assert recognizer.spec()["package"] == {"rapidocr": metadata.version("rapidocr")}
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(BenchError, match="is not an ONNX network"):
        reading(make("rapidocr", model="bad.onnx")).__enter__()


@pytest.fixture
def tiny_trocr(tmp_path):
    """Save a tiny model that was never trained, with a tokenizer of single characters."""
    transformers = pytest.importorskip("transformers")
    import tokenizers
    import torch

    vocabulary = {token: n for n, token in enumerate(["<s>", "</s>", "<pad>", *"abc"])}
    model = tokenizers.models.WordLevel(vocabulary, "a")
    special = dict(zip(("bos_token", "eos_token", "pad_token"), vocabulary, strict=False))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(model), **special
    )
    images = transformers.ViTImageProcessor(size={"height": 16, "width": 16})
    vision = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        image_size=16, patch_size=8,
    )  # fmt: skip
    text = transformers.TrOCRConfig(
        vocab_size=6, d_model=8, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=8,
        decoder_start_token_id=0, bos_token_id=0, eos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    both = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, text)
    both.decoder_start_token_id, both.pad_token_id, both.eos_token_id = 0, 2, 1
    torch.manual_seed(0)
    folder = tmp_path / "tiny-trocr"
    transformers.VisionEncoderDecoderModel(both).save_pretrained(folder)
    transformers.TrOCRProcessor(images, tokenizer).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(lacking("transformers"), reason="transformers is not installed")
def test_a_model_of_hugging_face_reads_from_a_folder(make, reading, words, tiny_trocr):
    recognizer = make("huggingface", huggingface="tiny-trocr", max_new_tokens=5)
    assert recognizer.label == "huggingface(huggingface=tiny-trocr, max_new_tokens=5)"
    with reading(recognizer) as reader:
        first = reader.read(words)
        assert first == reader.read(words)
        assert all(set(r.text) <= set("abc ") for r in first)
        assert reader.parameters > 1000
    files = recognizer.spec()["parameters"]["huggingface"]
    assert {"config.json", "model.safetensors"} <= set(files)
    config = json.loads((tiny_trocr / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Evil"}
    config["model_type"] = "no-such-model"
    (tiny_trocr / "config.json").write_text(json.dumps(config))
    (tiny_trocr / "evil.py").write_text("raise SystemExit('executed')\n")
    with pytest.raises(BenchError, match="is not an image-to-text model that transformers can"):
        reading(recognizer).__enter__()


def test_a_folder_without_a_model_is_an_error(make, reading, tmp_path):
    for folder, fault in (("none", "does not exist"), (".", "is empty")):
        with pytest.raises(BenchError, match=fault):
            make("huggingface", huggingface=folder).spec()
    with pytest.raises(
        BenchError, match=r"has no config.json; give a folder that was written by save_pretrained"
    ):
        reading(make("huggingface", huggingface=".")).__enter__()
