"""The cleaning of the Phoenix 2014 evaluation, rule by rule."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import counts

from bench.evaluation import protocols
from bench.evaluation.metrics.scoring import Sample, score_samples
from bench.evaluation.protocols.glosses import EMPTY, clean_gloss

PHOENIX = protocols.find_protocol("gloss-phoenix14")
DATA = Path(os.environ.get("BENCH_TEST_DATA") or "no such folder")
WORDS = """
A B S SCH NN WIE AUSSEHEN ZEIGEN NORD NORDRAUM loc-NORD cl-KOMMEN qu-WAS poss-EUCH lh-IX
__ON__ __OFF__ __EMOTION__ __PU__ __LEFTHAND__ __EPENTHESIS__ WIND-PLUSPLUS S0NNE HABEN2
WIE-IMMER S+H [EMPTY]
"""
lines = st.lists(st.sampled_from(WORDS.split()), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("gloss", "cleaned"),
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
def test_a_gloss_is_cleaned(gloss, cleaned):
    assert clean_gloss(gloss) == cleaned
    assert PHOENIX.normalize(gloss) == cleaned


@pytest.mark.parametrize(
    "line",
    [
        # As in the shipped STM files: repetitions, spelled letters, two glosses of one sign.
        "MORGEN SONNE UEBERALL KUESTE REGION WOLKE MOEGLICH MOEGLICH REGEN NICHT-VIEL",
        "S H VOR POMMERN UND BRAND BURG MORGEN DURCHGEHEND REGEN",
        "__ON__ NORD NORD FRISCH IX WEHEN IX WEHEN IM-VERLAUF SPAETER __OFF__",
        "NORDOST IX NICHT-VIEL NICHT-VIEL NICHT-WOLKE NICHT-VIEL ABER __OFF__",
        "__ON__ NORDWEST WOLKE MANCHMAL SONNE BISSCHEN IX S+H IX REGEN __OFF__",
        "HEUTE NACHT KALT ZEIGEN-BILDSCHIRM LEICHT FROST MINUS EINS BIS MINUS VIER",
        "__ON__ TEMPERATUR WIE-AUSSEHEN MORGEN GLEICH SIEBZEHN ACHTZEHN SUEDOST",
    ],
)
def test_shipped_references_do_not_change(line):
    assert PHOENIX.normalize(line) == line


@given(lines)
def test_references_are_cleaned_gloss_by_gloss_and_never_merged(line):
    cleaned = [clean for gloss in line.split() if (clean := clean_gloss(gloss))]
    assert PHOENIX.normalize(line).split() == [gloss.upper() for gloss in cleaned]


@given(lines)
def test_hypotheses_are_cleaned_gloss_by_gloss_and_repetitions_are_merged(line):
    _, hypothesis = PHOENIX.pair("X", line)
    cleaned = [clean for gloss in line.split() if (clean := clean_gloss(gloss))]
    merged = [gloss for n, gloss in enumerate(cleaned) if not n or gloss != cleaned[n - 1]]
    assert hypothesis == (" ".join(merged).upper() or EMPTY)


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
def test_a_hypothesis_is_compared_as_in_a_ctm(hypothesis, compared):
    assert PHOENIX.pair("X", hypothesis) == ("X", compared)


def test_glosses_have_a_space_between():
    assert PHOENIX.separator == " "
    assert PHOENIX.tokens("NORD WIND") == ["NORD", "WIND"]
    assert PHOENIX.words("NORD WIND") == ["NORD", "WIND"]


def corpus(sentences, glosses, repetitions):
    """Return sentences of so many glosses, with so many immediate repetitions."""
    draw = random.Random(0)  # noqa: S311 (sentences, no secrets)
    vocabulary = ["NORD", "REGEN", "NICHT-VIEL", "S", "H", "WIE-AUSSEHEN", "__ON__", "IX", "S+H"]
    rows = [[draw.choice(vocabulary)] for _ in range(sentences)]
    for n in range(glosses - sentences - repetitions):
        row = rows[n % sentences]
        row.append(draw.choice([word for word in vocabulary if word != row[-1]]))
    for row in rows[:repetitions]:
        row.append(row[-1])
    return [" ".join(row) for row in rows]


@pytest.mark.parametrize(
    ("sentences", "glosses", "repetitions"), [(540, 5_540, 5), (629, 6_504, 10)]
)
def test_merged_repetitions_are_the_only_errors_of_perfect_hypotheses(
    sentences, glosses, repetitions
):
    rows = corpus(sentences, glosses, repetitions)
    counted = counts("wer", "gloss-phoenix14", [(row, row) for row in rows])
    assert sum(below for _, below in counted) == glosses
    assert sum(above for above, _ in counted) == repetitions


@pytest.mark.parametrize(
    ("split", "glosses", "repetitions"), [("dev", 5_540, 5), ("test", 6_504, 10)]
)
def test_the_shipped_references_have_the_published_numbers(split, glosses, repetitions):
    file = DATA / f"phoenix2014-groundtruth-{split}.stm"
    if not file.exists():
        pytest.skip(f"needs {file.name} in the folder that BENCH_TEST_DATA names")
    rows = [" ".join(line.split()[5:]) for line in file.read_text("utf-8").splitlines()]
    assert [PHOENIX.normalize(row) for row in rows] == rows
    result = score_samples(PHOENIX, [Sample("", row, row) for row in rows])
    assert result.metrics["wer"].denominator == glosses
    assert result.metrics["wer"].numerator == repetitions
