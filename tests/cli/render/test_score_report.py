"""The text of a score."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cli.render.score_report import score_text
from bench.core.text_table import draw
from bench.evaluation import protocols
from bench.evaluation.metrics.scoring import Sample, score_samples


def text_of(name, *pairs):
    return draw(
        score_text(
            score_samples(protocols.find_protocol(name), [Sample("", *pair) for pair in pairs])
        )
    )


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(protocols.PROTOCOLS)),
    st.lists(st.tuples(st.just("12"), st.text(max_size=12)), min_size=1, max_size=4),
)
def test_whatever_is_read_is_shown_in_printable_characters(name, pairs):
    assert all(line.isprintable() for line in text_of(name, *pairs).split("\n"))


def test_what_does_not_print_is_escaped():
    text = text_of("htr-raw", ("a b", "ab"), ("a", "\x1b"))
    assert "'\\x1b'" in text
    assert "' '" in text
    assert "(nothing)" in text


def test_metrics_have_their_counts():
    text = text_of("htr-raw", ("the cat sat", "the bat sat on"), ("a", "a"))
    lines = [line.split() for line in text.split("\n")]
    assert ["CER", "33.33", "%", "4", "edits", "/", "12", "characters"] in lines
    assert ["WER", "50.00", "%", "2", "edits", "/", "4", "words"] in lines
    assert ["accuracy", "50.00", "%", "1", "correct", "/", "2", "samples"] in lines
    assert "1 substituted, 3 inserted, 0 deleted (characters)" in text


def test_glosses_are_words():
    assert "1 edits / 2 glosses" in text_of("gloss-phoenix14", ("NORD WIND", "NORD"))


def test_dropped_characters_are_shown_most_frequent_first():
    text = text_of("str-36", ("Straße", "strae"), ("Maß!", "ma"))
    assert "characters dropped from references: ß (2), ! (1)" in text
    letters = [chr(0x4E00 + n) for n in range(25)]
    assert text_of("str-36", *((f"a{letter}", "a") for letter in letters)).count("(1)") == 20
    assert "and 5 more" in text_of("str-36", *((f"a{letter}", "a") for letter in letters))


def test_the_thesis_has_a_row_for_its_batches():
    text = text_of("htr-thesis", ("ab", "ax"))
    assert "CER of batches" in text
    assert "mean over batches of 32, in order" in text
