"""CCR: characters read correctly at their position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import counts

letters = st.text("ab", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("house", "house", (5, 5)),
        ("house", "huse", (1, 5)),
        ("house", "", (0, 5)),
        ("cat", "cart", (2, 3)),
        ("ab", "ba", (0, 2)),
    ],
)
def test_by_hand(reference, hypothesis, expected):
    assert counts("ccr", "str-36", [(reference, hypothesis)]) == [expected]


@given(letters, st.text("ab", max_size=8))
def test_ccr_equals_that_of_plain_loops(reference, hypothesis):
    matches = 0
    for position in range(min(len(reference), len(hypothesis))):
        matches += reference[position] == hypothesis[position]
    assert counts("ccr", "htr-raw", [(reference, hypothesis)]) == [(matches, len(reference))]
