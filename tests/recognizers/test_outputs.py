"""Alphabets of files, and the confidence of texts."""

from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError
from bench.decoding.greedy import GreedyDecoder
from bench.recognizers.outputs.alphabets import (
    characters_of_file,
    characters_of_lines,
    check_classes,
)
from bench.recognizers.outputs.texts import TextDecoding


def written(tmp_path, content):
    (tmp_path / "dict.txt").write_bytes(content)
    return str(tmp_path / "dict.txt")


@pytest.mark.parametrize(
    ("content", "characters"),
    [
        (b"a\nb\n", "ab"),
        (b"\xef\xbb\xbfa\r\nb", "ab"),
        ("a\n\u2028\n\x0b\n\u3000\n \n".encode(), "a\u2028\x0b\u3000 "),
        (b"blank\na\nb\n", "ab"),
        (b"a\nb\nblank\n", "ab"),
    ],
)
def test_characters_of_files(tmp_path, content, characters):
    assert "".join(characters_of_file(written(tmp_path, content), "alphabet_file")) == characters


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a\n\nb\n", r"line 2 of .* is empty; write one character per line"),
        (b"", r"line 1 of .* is empty"),
        (b"a\n\xff\n", "neither UTF-8 nor"),
    ],
)
def test_files_that_are_not_an_alphabet(tmp_path, content, fault):
    with pytest.raises(BenchError, match=fault):
        characters_of_file(written(tmp_path, content), "alphabet_file")


def test_a_dictionary_with_one_line_too_many_names_both_numbers():
    characters = characters_of_lines("x\na\nb\n", "the file")
    with pytest.raises(BenchError, match="has 3 classes, but the alphabet of 3 characters"):
        check_classes(characters, 3, "the graph")
    check_classes(characters, 4, "the graph")


PATH = torch.tensor([[[0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.0, 0.4, 0.6]]]).log()


@pytest.mark.parametrize(
    ("family", "text", "product", "mean"),
    [("ctc", "ab", 0.8 * 0.9 * 0.6, 0.7), ("seq2seq", "a", 0.8 * 0.9, 0.8)],
)
def test_confidences(family, text, product, mean):
    for confidence, expected in (("product", product), ("mean", mean)):
        texts = TextDecoding(family, ("a", "b"), GreedyDecoder(), confidence)
        [reading] = texts.readings(PATH, torch.tensor([3]))
        assert reading.text == text
        assert reading.confidence == pytest.approx(expected, rel=1e-5)


def test_classes_that_are_not_characters_are_left_out():
    texts = TextDecoding("ctc", ("", "b"), GreedyDecoder(), "mean", " ")
    assert texts.readings(PATH, torch.tensor([3]))[0].text == "b"


def test_nan_scores_have_no_confidence():
    texts = TextDecoding("ctc", ("a", "b"), GreedyDecoder())
    [reading] = texts.readings(torch.full((1, 2, 3), torch.nan), torch.tensor([2]))
    assert reading.confidence is None
