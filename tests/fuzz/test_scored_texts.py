"""Whatever is in files of texts to score: an id, a tab and a text; STM and CTM."""

from __future__ import annotations

import pytest
from fuzzing import contents, fuzzed, result_or_sentence
from hypothesis import given

from bench.core.errors import BenchError
from bench.evaluation import protocols
from bench.evaluation.metrics import scoring
from bench.evaluation.metrics.text_files import read_samples

STM = b"""\
;; LABEL "M" "Male" ""
u 1 s 0.0 2.5 <o,m> HEUTE NORD
u 1 s 2.5 4 IGNORE_TIME_SEGMENT_IN_SCORING
v A s 0 1.79769e+308 REGEN
"""
CTM = b"u 1 0.5 0.1 HEUTE 0.9\nu 1 3 0.1 WIND\nv A 1 0 REGEN\n"
WORDS = (b"{ A / B / @ }", b"(A)", b"<ALT_BEGIN>", b";", b"nan", b"1e999", b" ", b"\t")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scored")


def scored(folder, reference, hypothesis, suffixes, **options):
    files = [folder / f"reference{suffixes[0]}", folder / f"hypothesis{suffixes[1]}"]
    for file, content in zip(files, (reference, hypothesis), strict=True):
        file.write_bytes(content)
    protocol = protocols.find_protocol("gloss-phoenix14")
    try:
        return scoring.score_samples(protocol, read_samples(*files, **options))
    except ValueError as error:
        # What the verb makes a sentence of.
        raise BenchError(str(error)) from None


@fuzzed()
@given(contents(STM, words=WORDS), contents(CTM, words=WORDS))
def test_any_stm_and_ctm_are_scored_or_refused(folder, reference, hypothesis):
    score = result_or_sentence(lambda: scored(folder, reference, hypothesis, (".stm", ".ctm")))
    assert score is None or score.samples


@fuzzed()
@given(contents(b"1\tA B\n2\tC\n", words=WORDS), contents(b"2\tC\n1\tA\n", words=WORDS))
def test_any_lines_are_scored_or_refused(folder, reference, hypothesis):
    result_or_sentence(lambda: scored(folder, reference, hypothesis, ("", "")))
    result_or_sentence(lambda: scored(folder, reference, hypothesis, ("", ""), ids=True))
