"""An exported network reads images without bench.toml, records or data."""

from __future__ import annotations

import json
import os
import pickle

import cv2
import numpy as np
import pytest

from bench.core.errors import BenchError, Exit
from bench.data.inputs import images
from bench.data.reading.encoded_samples import EncodedSample
from bench.diagnostics.finished import FinishedTraining
from bench.export.exporting import export_training
from bench.recognizers.networks import load
from bench.recognizers.networks.exported import DOCUMENT, WEIGHTS, load_network, read_document


@pytest.fixture
def folder(write_training, tmp_path, monkeypatch):
    """Return the folder of an exported crnn; bench.toml, records and data are gone."""
    made = write_training()
    training = FinishedTraining(*made.store.training(made.training.key))
    export_training(training, made.store, tmp_path / "elsewhere" / "out")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere" / "out"


def test_files_bytes_and_pixels_give_the_same_readings(folder, words, tmp_path):
    encoded = words(3)
    (tmp_path / "word.png").write_bytes(encoded[1])
    pixels = images.decode_image(encoded[1], 3)
    gray = images.decode_image(encoded[1], 1)
    reader = load(folder)
    readings = reader.read([str(tmp_path / "word.png"), tmp_path / "word.png", encoded[1], pixels])
    assert len({reading.text for reading in readings}) == 1
    assert readings[0].text
    assert all(0 <= reading.confidence <= 1 for reading in readings)
    assert reader.read([gray])[0].text == readings[0].text, "the words are gray"
    assert reader.read([]) == []


def test_a_reading_does_not_depend_on_other_images(write_training, words, tmp_path):
    made = write_training('{ name = "htr-ctc", width = 2, features = 8, hidden = 4 }')
    training = FinishedTraining(*made.store.training(made.training.key))
    export_training(training, made.store, tmp_path / "out")
    reader, encoded = load(tmp_path / "out"), words(70)
    together = [reading.text for reading in reader.read(encoded)]
    assert together[::7] == [reader.read([each])[0].text for each in encoded[::7]]
    assert len({*together}) > 20


def test_a_loaded_reader_has_an_alphabet_and_a_title(folder):
    reader = load(folder)
    assert reader.samples.alphabet == frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
    assert reader.samples.parameters == sum(w.numel() for w in reader.samples.network.parameters())
    assert reader.samples.remarks() == {}
    assert reader.about.title.startswith("iiit5k · crnn(width=2, hidden=4) · ctc")


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ("missing.png", r"missing.png: the image cannot be read \(No such file"),
        (b"", "sample '0' is an empty image file"),
        (b"not an image", "sample '0' is an image that cannot be decoded"),
        (
            np.zeros((8, 8, 3)),
            r"image 0 of the list is an array of float64 \(8, 8, 3\); give uint8",
        ),
        (np.zeros((8, 8, 4), np.uint8), r"array of uint8 \(8, 8, 4\)"),
        (np.zeros((0, 8), np.uint8), r"array of uint8 \(0, 8\)"),
    ],
)
def test_a_file_that_is_not_an_image_is_reported(folder, image, fault):
    with pytest.raises(BenchError, match=fault):
        load(folder).read([image])


def changed(folder, **changes):
    document = json.loads((folder / DOCUMENT).read_text())
    (folder / DOCUMENT).write_text(json.dumps(document | changes))


def test_altered_weights_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(
        BenchError, match=r"weights differ from their SHA-256 in model.json; export"
    ) as error:
        load(folder)
    assert error.value.code == Exit.UNVERIFIED
    (folder / WEIGHTS).unlink()
    with pytest.raises(BenchError, match="weights are missing"):
        load(folder)


def test_a_pickle_in_place_of_weights_is_not_executed(folder, tmp_path):
    import hashlib

    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "attacked"),)

    content = pickle.dumps(Attack())
    (folder / WEIGHTS).write_bytes(content)
    changed(folder, weights=hashlib.sha256(content).hexdigest())
    with pytest.raises(BenchError, match="do not fit model 'crnn'"):
        load(folder)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"model": {"name": "crnn", "version": 9, "parameters": {}}},
            "was version 9 and is version",
        ),
        ({"model": {"name": "crnnn", "version": 1, "parameters": {}}}, "no model 'crnnn'"),
        ({"model": {"name": "crnn", "version": 1, "parameters": {"x": 1}}}, "no key 'x' here"),
        (
            {"model": {"name": "crnn", "version": 1, "parameters": {"width": 3}}},
            "do not fit model",
        ),
        ({"vocabulary": ["a"]}, "do not fit model 'crnn'"),
        ({"schema": 99}, "its schema is 99, this bench reads 1"),
        ({"vocabulary": 3}, "not an exported network of bench"),
    ],
)
def test_an_invalid_description_is_refused(folder, changes, fault):
    changed(folder, **changes)
    with pytest.raises(BenchError, match=fault):
        load(folder)


def test_a_folder_without_a_network_is_reported(tmp_path):
    with pytest.raises(
        BenchError, match=r"there is no model\.json; give a folder that `bench export`"
    ):
        load(tmp_path)


def test_a_network_that_reads_clips_is_loaded_only_as_a_network(folder):
    changed(folder, input={"kind": "frames", "size": 8, "crop": 0, "normalization": "signed"})
    with pytest.raises(BenchError, match="this network reads clips, not images"):
        load(folder)
    network = load_network(folder, read_document(folder))
    assert not network.training


def test_samples_of_data_sets_are_read_through_the_same_interface(folder, words):
    [content] = words(1)
    jpeg = cv2.imencode(".jpg", images.decode_image(content, 3))[1].tobytes()
    readings = load(folder).samples.read(
        [EncodedSample("a", (content,)), EncodedSample("b", (jpeg,))]
    )
    assert [bool(reading.text) for reading in readings] == [True, True]
