"""Label encoders: targets of transcripts, and tokens without a class."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.reading.label_encoder import LabelEncoder, common_encoder, encoder_of_alphabet
from bench.evaluation import protocols

RULES = protocols.find_protocol("str-36")
ENCODER = encoder_of_alphabet(RULES)


@settings(max_examples=40)
@given(st.text())
def test_targets_are_the_classes_of_known_tokens_in_order(text: str) -> None:
    classes, unknown = ENCODER.encode(text), ENCODER.unknown_tokens(text)
    assert all(1 <= label <= 36 for label in classes)
    read = "".join(ENCODER.vocabulary[label - 1] for label in classes)
    assert read == RULES.normalize(text)
    assert unknown == []


@settings(max_examples=40)
@given(
    st.text(string.ascii_lowercase, min_size=1), st.sets(st.sampled_from(string.ascii_lowercase))
)
def test_tokens_without_a_class_are_reported_and_not_encoded(text: str, known: set[str]) -> None:
    encoder = LabelEncoder(tuple(sorted(known)), RULES)
    read = [encoder.vocabulary[label - 1] for label in encoder.encode(text)]
    assert read == [letter for letter in text if letter in known]
    assert encoder.unknown_tokens(text) == [letter for letter in text if letter not in known]


@pytest.mark.parametrize(
    ("rules", "text", "tokens"),
    [
        ("str-36", "Don't", "dont"),
        ("str-36", "Café", "cafe"),
        ("str-62", "Don't", "Dont"),
        ("str-94", "Don't", "Don't"),
        ("gloss-phoenix14", "loc-REGEN  __PU__ NORD", ["REGEN", "NORD"]),
    ],
)
def test_a_transcript_is_normalized_by_its_protocol(
    rules: str, text: str, tokens: str | list[str]
) -> None:
    protocol = protocols.find_protocol(rules)
    assert LabelEncoder((), protocol).tokens(text) == tokens


def test_a_protocol_without_a_list_of_characters_is_not_an_alphabet() -> None:
    with pytest.raises(BenchError, match=r"'htr-iam' lists no characters.*set alphabet to"):
        encoder_of_alphabet(protocols.find_protocol("htr-iam"))


def test_the_same_alphabet_is_shared_and_another_is_refused() -> None:
    assert common_encoder([("a", ENCODER), ("b", ENCODER)]) == ENCODER
    larger = encoder_of_alphabet(protocols.find_protocol("str-62"))
    with pytest.raises(BenchError, match=r"'a' and 'b' have different.*\(36 and 62.*set alphabet"):
        common_encoder([("a", ENCODER), ("b", larger)])


@settings(max_examples=40)
@given(st.lists(st.sets(st.sampled_from(["NORD", "REGEN", "SUED", "WOLKE"])), min_size=1))
def test_vocabularies_of_glosses_are_merged(several: list[set[str]]) -> None:
    rules = protocols.find_protocol("gloss-phoenix14")
    encoders = [(str(n), LabelEncoder(tuple(sorted(g)), rules)) for n, g in enumerate(several)]
    assert common_encoder(encoders).vocabulary == tuple(sorted(set().union(*several)))
