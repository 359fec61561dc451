from __future__ import annotations

import string

import pytest

from bench.core.errors import BenchError
from bench.decoding.algorithms import word_list
from bench.decoding.algorithms.word_list import Spelling, read_word_list

LOWER = tuple(string.ascii_lowercase)


@pytest.fixture
def read(tmp_path):
    def read_content(content, vocabulary=LOWER):
        file = tmp_path / "words.txt"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_word_list(str(file), vocabulary, "words of a test")

    return read_content


def test_words_are_spelled_once_in_order_and_others_are_counted(read):
    listed = read("\ufeffb\r\n\n a\ncafé\nB\nit's\n")
    assert (listed.words, listed.left_out, listed.example) == ([(2,), (1,)], 2, "café")


@pytest.mark.parametrize(
    ("vocabulary", "text", "expected"),
    [
        (("a", "b"), "AB", (1, 2)),
        (("A", "B"), "ab", (1, 2)),
        (("a", "A"), "aA", (1, 2)),
        (("0", "1"), "10", (2, 1)),
        (("é",), "e\u0301", (1,)),
        (("e", "\u0301"), "é", (1, 2)),
        (("MORGEN", "IX"), "IX MORGEN", (2, 1)),
        (("a", " "), "a a", (1, 2, 1)),
        (("a",), "ab", None),
    ],
)
def test_a_word_is_written_as_the_vocabulary_is(vocabulary, text, expected):
    assert Spelling(vocabulary).classes(text) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n\n", "no word that can be read: it is empty"),
        ("1\n2\n", "all 2 words have characters outside the vocabulary, such as '1'"),
        (b"a\n\xff\n", "line 2 .*neither UTF-8 nor"),
        ("a" * 5000, "line 1 .* more than 4,096 characters"),
    ],
)
def test_an_unusable_file_is_one_sentence(read, content, message):
    with pytest.raises(BenchError, match=message) as error:
        read(content)
    assert "of words of a test" in str(error.value)


def test_too_many_words_are_refused(read, monkeypatch):
    monkeypatch.setattr(word_list, "MAX_WORDS", 1)
    with pytest.raises(BenchError, match="more than 1 words"):
        read("a\nb\n")
