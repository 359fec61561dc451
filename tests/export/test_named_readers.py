"""`bench read` with trainings, rows and exported networks."""

from __future__ import annotations

import json

import pytest

from bench.core.errors import Exit
from bench.export.named_readers import open_named_reader


@pytest.fixture
def pictures(prepared, words):
    folder = prepared / "pics"
    folder.mkdir()
    for number, content in enumerate(words(5)):
        (folder / f"{number}.png").write_bytes(content)
    return folder


def texts(answer):
    assert answer.code == 0, answer.err
    return [row["text"] for row in json.loads(answer.out)["images"]]


def test_a_training_reads_the_same_as_its_exported_folder(write_training, pictures, bench):
    made = write_training()
    assert bench("export", made.training.key, "--out", "out").code == 0
    by_key = texts(bench("read", "pics", "--with", made.training.key[:6], "--json"))
    by_folder = texts(bench("read", "pics", "--with", str(made.folder), "--json"))
    exported = texts(bench("read", "pics", "--with", "out", "--json"))
    assert by_key == by_folder == exported
    assert len({*by_key}) > 2


def test_an_exported_folder_is_read_without_a_store(write_training, pictures, bench):
    made = write_training()
    assert bench("export", made.training.key, "--out", "out").code == 0

    def load():
        raise AssertionError("an exported folder needs no bench.toml")

    with open_named_reader("out", load) as named:
        assert named.title == "iiit5k · crnn(width=2, hidden=4) · ctc · seed 0"
        assert named.reader.alphabet


def test_a_row_of_a_suite_reads_with_its_first_finished_training(write_training, pictures, bench):
    made = write_training()
    by_row = texts(bench("read", "pics", "--with", "words/crnn · ctc", "--json"))
    assert by_row == texts(bench("read", "pics", "--with", made.training.key, "--json"))
    (made.folder / "training.json").unlink()
    answer = bench("read", "pics", "--with", "words/crnn · ctc")
    assert answer.code == Exit.NOTHING
    assert "row 'words/crnn · ctc' has no finished training; run: bench run words" in answer.err


def test_altered_weights_are_not_used(write_training, pictures, bench):
    made = write_training()
    (made.folder / "weights.safetensors").write_bytes(b"other")
    answer = bench("read", "pics", "--with", made.training.key)
    assert answer.code == Exit.UNVERIFIED
    assert "does not match the checksum in its record" in answer.err
