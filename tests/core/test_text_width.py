"""Columns of text on a terminal, and lines that end between words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bench.core.text_width import longest_word, middle_shortened, text_width, wrapped

TEXTS = st.text("ab,-./ é漢字かﾊ😀한\u0301\u0939\u093f", max_size=60)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("漢字", 4),
        ("e\u0301", 1),
        ("ﾊ", 1),
        ("\u1112\u1161\u11ab", 2),
        ("😀", 2),
    ],
)
def test_the_width_of_wide_and_combining_letters(text, width):
    assert text_width(text) == width


@given(st.text(st.sampled_from("abÿ漢字かﾊ😀한é\u0301"), max_size=20))
def test_widths_are_those_of_rich(text):
    assert text_width(text) == sum(map(cell_len, text))


@given(TEXTS, st.integers(8, 40))
def test_lines_are_not_wider_and_lose_nothing(text, width):
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert text_width(line.strip()) <= max(width, longest_word(text))


@given(st.text("ab- .", max_size=60), st.integers(4, 30))
def test_no_word_is_broken(text, width):
    assert " ".join(wrapped(text, width)).split() == text.split()


def test_a_number_stays_with_its_sign_and_with_what_it_varies_by():
    assert wrapped("up to 91.85 ± 0.79 or 95 %", 12) == ["up to", "91.85 ± 0.79", "or 95 %"]


def test_a_long_word_is_on_a_line_of_its_own_without_indent():
    assert wrapped("  see /a/long/path for it", 12, "  ") == ["  see", "/a/long/path", "  for it"]


@given(st.text("abé漢😀\u0301", min_size=1, max_size=40), st.integers(5, 20))
def test_a_shortened_word_keeps_its_ends(word, width):
    shown = middle_shortened(word, width)
    assert text_width(shown) <= width
    head, dots, tail = shown.partition("…")
    assert word.startswith(head)
    assert word.endswith(tail)
    assert dots or shown == word
