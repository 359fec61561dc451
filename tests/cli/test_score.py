"""`bench score`: any two files of text, under a protocol."""

from __future__ import annotations

import json

import jiwer
import pytest

REFERENCE = ["The cat sat on the mat.", "a quick brown fox", "", "naïve café"]
HYPOTHESIS = ["The cat sat an the mat", "a qu1ck brown fox", "x", "naive café!"]


@pytest.fixture
def texts(home):
    (home / "ref.txt").write_text("\n".join(REFERENCE) + "\n")
    (home / "hyp.txt").write_text("\n".join(HYPOTHESIS) + "\n")
    return home


def test_two_small_files_have_the_cer_and_wer_of_jiwer(texts, bench):
    answer = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-raw", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    kept = [pair for pair in zip(REFERENCE, HYPOTHESIS, strict=True) if pair[0]]
    references, hypotheses = map(list, zip(*kept, strict=True))
    assert found["cer"] == pytest.approx(jiwer.cer(references, hypotheses))
    assert found["wer"] == pytest.approx(jiwer.wer(references, hypotheses))
    assert found["rates"]["samples"] == 3
    assert found["rates"]["excluded"] == {"empty reference": 1}
    said = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-raw")
    assert said.code == 0
    assert said.err == ""
    assert f"{100 * jiwer.cer(references, hypotheses):.2f}" in said.out


def test_the_table_says_all(texts, bench):
    out = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-iam").out
    assert "protocol htr-iam v1 (" in out
    assert "3 samples scored, 1 excluded" in out
    assert "1 excluded: empty reference" in out
    for word in ("CER", "WER", "accuracy", "1 − NED", "CCR", "substituted", "inserted", "deleted"):
        assert word in out
    assert "(nothing)" in out


def test_glosses_are_scored_from_stm_and_ctm(home, bench):
    (home / "r.stm").write_text("u1 1 s 0.0 1.0 HEUTE NORD WIND\nu2 1 s 0.0 1.0 REGEN\n")
    (home / "h.ctm").write_text("u1 1 0.0 0.1 HEUTE\nu1 1 0.1 0.1 loc-NORD\nu1 1 0.2 0.1 NORD\n")
    answer = bench("score", "r.stm", "h.ctm", "--protocol", "gloss-phoenix14", "--json")
    found = json.loads(answer.out)
    assert (found["wer"], found["cer"]) == (2 / 4, None)
    assert (found["substitutions"], found["deletions"], found["insertions"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ref.txt", "hyp.txt"], "Missing option '--protocol'"),
        (["ref.txt", "hyp.txt", "--protocol", "htr-rwa"], "did you mean 'htr-raw'?"),
        (["ref.txt", "hyp.txt", "--protocol", "x"], "; there is digits, gloss-phoenix14, htr-iam"),
        (["gone.txt", "hyp.txt", "--protocol", "htr-raw"], "gone.txt: it cannot be read (No such"),
        (["ref.txt", "one.txt", "--protocol", "htr-raw"], "ref.txt has 4 lines, one.txt has 1"),
        (["bad.txt", "one.txt", "--protocol", "htr-raw"], "bad.txt:1: byte 1 of the line is no"),
        (["none.txt", "none.txt", "--protocol", "htr-raw"], "none.txt: no sample with a reference"),
        (["one.txt", "one.txt", "--protocol", "digits"], "one.txt: no sample with a reference"),
        (["r.stm", "hyp.txt", "--protocol", "gloss-phoenix14"], "an STM is compared with a CTM"),
        (["h.ctm", "r.stm", "--protocol", "gloss-phoenix14"], "an STM is compared with a CTM"),
        (["r.stm", "h.ctm", "--ids", "--protocol", "gloss-phoenix14"], "--ids is for lines"),
        (["r.stm", "h.ctm", "--protocol", "htr-raw"], "'htr-raw' is no protocol of glosses"),
        (["ref.txt", "hyp.txt", "--ids", "--protocol", "htr-raw"], "there is no tab"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(texts, bench, words, said):
    (texts / "one.txt").write_text("one\n")
    (texts / "none.txt").write_text("")
    (texts / "bad.txt").write_bytes(b"\xff\n")
    answer = bench("score", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "Traceback" not in answer.err
