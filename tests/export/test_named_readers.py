"""`bench read` with what bench trained."""

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


def test_a_training_reads_as_its_exported_folder_does(left, pictures, bench):
    made = left()
    assert bench("export", made.training.key, "--out", "out").code == 0
    by_key = texts(bench("read", "pics", "--with", made.training.key[:6], "--json"))
    by_folder = texts(bench("read", "pics", "--with", str(made.folder), "--json"))
    exported = texts(bench("read", "pics", "--with", "out", "--json"))
    assert by_key == by_folder == exported
    assert len({*by_key}) > 2


def test_an_exported_folder_is_read_without_a_store(left, pictures, bench):
    made = left()
    assert bench("export", made.training.key, "--out", "out").code == 0

    def no_store():
        raise AssertionError("an exported folder needs no records")

    with open_named_reader("out", no_store) as named:
        assert named.title == "iiit5k · crnn(width=2, hidden=4) · ctc · seed 0"
        assert named.reader.alphabet


def test_altered_weights_read_nothing(left, pictures, bench):
    made = left()
    (made.folder / "weights.safetensors").write_bytes(b"other")
    answer = bench("read", "pics", "--with", made.training.key)
    assert answer.code == Exit.UNVERIFIED
    assert "is not what its record says" in answer.err
