"""Whatever is in files of decoders and alphabets: ARPA models, words and characters."""

from __future__ import annotations

import math

import pytest
from fuzzing import contents, fuzzed, result_or_sentence
from hypothesis import given

from bench.decoding.algorithms.arpa import read_arpa
from bench.decoding.algorithms.word_list import read_word_list
from bench.recognizers.outputs.alphabets import characters_of_file

ARPA = b"""\
\\data\\
ngram 1=3
ngram 2=1

\\1-grams:
-0.3\ta\t-0.1
-0.6\tb
-0.9\t</s>

\\2-grams:
-0.2\ta b

\\end\\
"""
WORDS = (b"\\2-grams:", b"ngram 3=1\n", b"ngram 1=999999999", b"nan", b"-inf", b"1e999", b"\t")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("decoders") / "file"


@fuzzed()
@given(contents(ARPA, words=WORDS))
def test_any_language_model_is_read_or_refused(file, content):
    file.write_bytes(content)
    for ngram in result_or_sentence(lambda: [*read_arpa(str(file), "arpa")]) or ():
        assert math.isfinite(ngram.log_probability)
        assert math.isfinite(ngram.backoff)


@fuzzed()
@given(contents(b"a\nab\n\nba\n"))
def test_any_list_of_words_or_characters_is_read_or_refused(file, content):
    file.write_bytes(content)
    found = result_or_sentence(lambda: read_word_list(str(file), ("a", "b"), "words"))
    assert found is None or found.words
    found = result_or_sentence(lambda: characters_of_file(str(file), "alphabet"))
    assert found is None or all(found)
