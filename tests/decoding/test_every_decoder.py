"""Every decoder of bench meets the contract of decoders."""

from __future__ import annotations

import pytest

from bench.core import registry
from bench.decoding.beam import BeamDecoder
from bench.decoding.greedy import GreedyDecoder
from bench.decoding.lexicon import LexiconDecoder
from bench.decoding.ngram import NGramDecoder
from bench.testing import decoder_checks

# Their files are written before each test, into the working folder.
DECODERS = [
    GreedyDecoder(),
    BeamDecoder(width=3),
    LexiconDecoder("words.txt"),
    LexiconDecoder("words.txt", by="probability"),
    NGramDecoder("letters.arpa", width=3),
]
CHECKS = [
    pytest.param(check, id=f"{decoder.label}-{check.name}")
    for decoder in DECODERS
    for check in decoder_checks(decoder)
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "words.txt").write_text("cat\ndog\nit's\n")
    unigrams = "\n".join(f"-1 {letter}" for letter in "abcdefgh")
    (tmp_path / "letters.arpa").write_text(
        f"\\data\\\nngram 1=8\n\n\\1-grams:\n{unigrams}\n\n\\end\\\n"
    )
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("files", "one_thread")
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_every_decoder_is_among_them():
    assert {decoder.name for decoder in DECODERS} == registry.builtin("decoder").keys()
