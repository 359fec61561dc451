"""Sequence accuracy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import counts, value

from bench.evaluation import protocols

text = st.text("ab é", max_size=4)


@pytest.mark.parametrize("name", sorted(protocols.PROTOCOLS))
@given(pairs=st.lists(st.tuples(text, text), max_size=5))
def test_a_sample_is_correct_where_both_texts_are_the_same(name, pairs):
    protocol = protocols.find_protocol(name)
    scored_pairs = [protocol.pair(*pair) for pair in pairs if protocol.excludes(pair[0]) is None]
    expected = [(int(protocol.tokens(r) == protocol.tokens(h)), 1) for r, h in scored_pairs]
    assert counts("sequence-accuracy", name, pairs) == expected


def test_accuracy_is_a_share_of_samples():
    assert value("sequence-accuracy", "digits", [("12", "12"), ("3", ""), ("4", "5")]) == 1 / 3


def test_spaces_between_glosses_are_not_errors():
    plain = protocols.declare_protocol("plain", {"unit": "gloss"})
    assert counts("sequence-accuracy", plain, [("A  B", "A B")]) == [(1, 1)]
