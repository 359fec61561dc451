"""Transcripts to classes: what is learned of them, and what is not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.reading.label_encoder import Transcriber
from bench.evaluation import protocols

RULES = protocols.find("str-36")
READER = Transcriber(tuple(RULES.charset), RULES)


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_classes_are_those_of_the_known_tokens_in_their_order(text: str) -> None:
    classes, unknown = READER.classes(text), READER.unknown(text)
    assert all(1 <= label <= 36 for label in classes)
    read = "".join(READER.vocabulary[label - 1] for label in classes)
    assert read == RULES.normalize(text)
    assert unknown == []


@settings(max_examples=40, deadline=None)
@given(
    st.text(string.ascii_lowercase, min_size=1), st.sets(st.sampled_from(string.ascii_lowercase))
)
def test_tokens_without_a_class_are_told_and_not_learned(text: str, known: set[str]) -> None:
    reader = Transcriber(tuple(sorted(known)), RULES)
    read = [reader.vocabulary[label - 1] for label in reader.classes(text)]
    assert read == [letter for letter in text if letter in known]
    assert reader.unknown(text) == [letter for letter in text if letter not in known]


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
def test_a_transcript_is_read_by_the_rules_of_its_protocol(
    rules: str, text: str, tokens: str | list[str]
) -> None:
    protocol = protocols.find(rules)
    assert Transcriber((), protocol).tokens(text) == tokens
