"""The clean-up of the Phoenix 2014 evaluation, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evaluation import protocols
from bench.evaluation.protocols.glosses import EMPTY, clean_gloss, clean_line

PHOENIX = protocols.find("gloss-phoenix14")
WORDS = """
A B S SCH NN WIE AUSSEHEN ZEIGEN NORD NORDRAUM loc-NORD cl-KOMMEN qu-WAS poss-EUCH lh-IX
__ON__ __OFF__ __EMOTION__ __PU__ __LEFTHAND__ __EPENTHESIS__ WIND-PLUSPLUS S0NNE HABEN2
WIE-IMMER S+H [EMPTY]
"""
glosses = st.sampled_from(WORDS.split())
rows = st.lists(glosses, max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("gloss", "left"),
    [
        ("loc-NORD", "NORD"),
        ("cl-KOMMEN", "KOMMEN"),
        ("qu-WAS", "WAS"),
        ("poss-EUCH", "EUCH"),
        ("lh-loc-IX", "IX"),
        ("S0NNE", "SONNE"),
        ("HABEN2", "HABEN"),
        ("__EMOTION__", ""),
        ("__PU__", ""),
        ("__LEFTHAND__", ""),
        ("__EPENTHESIS__", ""),
        ("__EMOTION__WIND", "WIND"),
        ("__ON__", "__ON__"),
        ("__OFF__", "__OFF__"),
        ("ZEIGEN", "ZEIGEN-BILDSCHIRM"),
        ("ZEIGEN-BILDSCHIRM", "ZEIGEN-BILDSCHIRM"),
        ("NORDRAUM", "NORD"),
        ("RAUM", "RAUM"),
        ("XRAUM", "XRAUM"),
        ("WIND-PLUSPLUS", "WIND"),
        ("WIE-AUSSEHEN", "WIE-AUSSEHEN"),
        ("WETTER", "WETTER"),
    ],
)
def test_a_gloss_alone_on_its_line(gloss, left):
    assert clean_gloss(gloss) == left
    assert clean_line(gloss) == left


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("MORGEN WIE AUSSEHEN", "MORGEN WIE-AUSSEHEN"),
        ("JETZT ZEIGEN WIND", "JETZT ZEIGEN-BILDSCHIRM WIND"),
        ("IX S H IX", "IX S+H IX"),
        ("S H IX", "S+H IX"),
        ("IX A B C D E F IX", "IX A+B+C+D+E+F IX"),
        ("IX SCH A IX", "IX SCH+A IX"),
        ("IX NN A IX", "IX NN+A IX"),
        ("IX A NN IX", "IX A+NN IX"),
        ("IX A B", "IX A+B"),
        # Nothing stands before A that the rules for the end of a line would ask for.
        ("A B", "A B"),
        ("REGEN REGEN WIND", "REGEN WIND"),
        ("REGEN REGEN REGEN REGEN REGEN", "REGEN"),
        ("WIE-IMMER WIE-IMMER", "WIE-IMMER WIE-IMMER"),
        ("__ON__ __ON__", "__ON__ __ON__"),
        ("NORD __EPENTHESIS__ WIND", "NORD WIND"),
        ("__EMOTION__ NORD   __PU__", "NORD"),
        ("__PU__", ""),
        ("", ""),
    ],
)
def test_glosses_in_a_row(line, left):
    assert clean_line(line) == left


def test_references_of_the_shipped_files_stay_as_they_are():
    for line in (
        "NORDOST IX NICHT-VIEL NICHT-VIEL NICHT-WOLKE NICHT-VIEL NICHT-WOLKE ABER __OFF__",
        "__ON__ NORDWEST WOLKE MANCHMAL SONNE BISSCHEN IX S+H IX REGEN __OFF__",
        "HEUTE NACHT KALT ZEIGEN-BILDSCHIRM LEICHT FROST MINUS EINS BIS MINUS VIER",
        "__ON__ TEMPERATUR WIE-AUSSEHEN MORGEN GLEICH SIEBZEHN ACHTZEHN SUEDOST WENN REGEN",
    ):
        assert PHOENIX.normalise(line) == line


@given(rows)
def test_a_hypothesis_is_cleaned_gloss_by_gloss_and_repeats_are_merged(line):
    _, found = PHOENIX.pair("X", line)
    left = [clean for gloss in line.split() if (clean := clean_gloss(gloss))]
    merged = [gloss for n, gloss in enumerate(left) if not n or gloss != left[n - 1]]
    assert found == (" ".join(merged).upper() or EMPTY)


@pytest.mark.parametrize(
    ("hypothesis", "compared"),
    [
        ("NORD NORD WIND", "NORD WIND"),
        ("NORD loc-NORD NORDRAUM", "NORD"),
        ("NORD __PU__ NORD", "NORD"),
        ("WIE AUSSEHEN", "WIE AUSSEHEN"),
        ("A B", "A B"),
        ("", "[EMPTY]"),
        ("__EMOTION__ __EPENTHESIS__", "[EMPTY]"),
    ],
)
def test_a_hypothesis_as_a_ctm_has_it(hypothesis, compared):
    assert PHOENIX.pair("X", hypothesis) == ("X", compared)


def test_glosses_have_a_space_between():
    assert PHOENIX.separator == " "
    assert PHOENIX.tokens("NORD WIND") == ["NORD", "WIND"]
