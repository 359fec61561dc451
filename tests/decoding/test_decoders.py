"""Decoders as components: what they read, how they are identified, and what they return."""

from __future__ import annotations

import os
import string
from typing import get_args

import numpy as np
import pytest
import torch

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.schema import SchemaError
from bench.core.types import DecoderFamily
from bench.decoding.algorithms.best_path import decode_ace, decode_ctc, decode_seq2seq
from bench.decoding.algorithms.prefix_beam import prefix_beam_search
from bench.decoding.families import ACE, CTC, SEQ2SEQ

VOCABULARY = tuple(string.ascii_lowercase)
ARPA = "\\data\\\nngram 1=2\n\n\\1-grams:\n-1 a\n-1 b\n\n\\end\\\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "words.txt").write_text("cat\ndog\nit's\n")
    (tmp_path / "chars.arpa").write_text(ARPA)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def showing(text):
    """Return logits (1, 2U, 27) that read as `text`, a blank behind each letter."""
    frames = [frame for letter in text for frame in (1 + VOCABULARY.index(letter), 0)]
    return 9 * torch.nn.functional.one_hot(torch.tensor([frames]), 27).float()


def text(decoded):
    return "".join(VOCABULARY[label - 1] for label in decoded.labels[0])


def test_the_families_are_those_of_the_types():
    assert {CTC, ACE, SEQ2SEQ} == set(get_args(DecoderFamily))


def test_every_decoder_is_registered_and_says_what_it_reads():
    decoders = registry.everything("decoder")
    assert set(decoders) == {"beam", "greedy", "lexicon", "ngram"}
    for name, decoder in decoders.items():
        assert decoder.families == ({CTC, ACE, SEQ2SEQ} if name == "greedy" else {CTC})
    greedy, beam = (registry.make("decoder", name, {}) for name in ("greedy", "beam"))
    assert greedy.reads(ACE)
    assert beam.reads(CTC)
    assert not beam.reads(SEQ2SEQ)


def test_greedy_and_beam_decode_as_their_functions():
    logits, lengths = torch.randn(3, 8, 27), torch.tensor([8, 5, 1])
    expected = {CTC: decode_ctc, ACE: decode_ace, SEQ2SEQ: decode_seq2seq}
    for family, function in expected.items():
        decode = registry.make("decoder", "greedy", {}).build(family, VOCABULARY)
        assert [each.tolist() for each in decode(logits, lengths).labels] == [
            each.tolist() for each in function(logits, lengths).labels
        ]
    decode = registry.make("decoder", "beam", {"width": 3}).build(CTC, VOCABULARY)
    np.testing.assert_array_equal(
        decode(logits, lengths).confidence,
        prefix_beam_search(logits, lengths, width=3).confidence,
    )
    with pytest.raises(BenchError, match=r"cut = 0.5 .* 27 classes"):
        registry.make("decoder", "beam", {"cut": 0.5}).build(CTC, VOCABULARY)


@pytest.mark.parametrize("parameters", [{}, {"edits": 0}, {"by": "probability"}])
def test_the_lexicon_reads_one_of_its_words(files, parameters):
    decoder = registry.make("decoder", "lexicon", {"words": "words.txt", **parameters})
    decode = decoder.build(CTC, VOCABULARY)
    assert text(decode(showing("cot"), torch.tensor([6]))) == "cat"
    [note] = decoder.notes(VOCABULARY)
    assert "1 words with characters outside the vocabulary are left out, such as 'it's'" in note
    assert decoder.notes((*VOCABULARY, "'")) == ()


def test_the_lexicon_refuses_an_idle_parameter_and_another_word(files):
    with pytest.raises(BenchError, match="edits has no effect"):
        registry.make("decoder", "lexicon", {"words": "x", "by": "probability", "edits": 1})
    with pytest.raises(SchemaError, match="did you mean 'edits'"):
        registry.make("decoder", "lexicon", {"words": "x", "by": "edit"})
    with pytest.raises(SchemaError, match="'words' is missing"):
        registry.make("decoder", "lexicon", {})


def test_the_language_model_says_what_it_does_not_know(files):
    decoder = registry.make("decoder", "ngram", {"arpa": "chars.arpa", "weight": 0})
    assert text(decoder.build(CTC, VOCABULARY)(showing("ab"), torch.tensor([4]))) == "ab"
    [note] = decoder.notes(VOCABULARY)
    assert "24 tokens of the vocabulary are not in the language model" in note
    assert "practically never read: 'c', 'd', 'e'" in note
    assert decoder.notes(("a", "b")) == ()


@pytest.mark.parametrize(
    ("name", "key", "file"), [("lexicon", "words", "words.txt"), ("ngram", "arpa", "chars.arpa")]
)
def test_a_file_is_identified_by_its_content(files, name, key, file):
    def spec(path):
        return registry.make("decoder", name, {key: str(path)}).spec()

    original = spec(file)
    assert set(original["parameters"][key]) == {"sha256"}
    (files / "elsewhere").mkdir()
    copy = files / "elsewhere" / "renamed"
    copy.write_bytes((files / file).read_bytes())
    assert spec(copy) == spec(files / file) == original
    with copy.open("a") as appended:
        appended.write("\n")
    assert spec(copy) != original
    assert registry.make("decoder", name, {key: str(files / file)}).label == f"{name}({key}={file})"


def test_a_missing_file_is_one_sentence(files):
    decoder = registry.make("decoder", "lexicon", {"words": "missing.txt"})
    for call in (decoder.spec, lambda: decoder.build(CTC, VOCABULARY)):
        expected = "the file 'missing.txt' of words of decoder 'lexicon' does not exist"
        with pytest.raises(BenchError, match=expected):
            call()
    with pytest.raises(BenchError, match="is a folder"):
        registry.make("decoder", "lexicon", {"words": str(files)}).spec()
    if os.geteuid():
        (files / "words.txt").chmod(0)
        with pytest.raises(BenchError, match="cannot be read"):
            registry.make("decoder", "lexicon", {"words": "words.txt"}).spec()
