"""`bench score`: any two files of text, under a protocol."""

from __future__ import annotations

import json

import jiwer
import pytest

REFERENCE = ["The cat sat on the mat.", "a quick brown fox", "", "naïve café"]
HYPOTHESIS = ["The cat sat an the mat", "a qu1ck brown fox", "x", "naive café!"]


CONFIG = """
[protocol.german]
charset_file = "letters.txt"
unicode = "NFC"
case = "lower"
outside = "drop"
"""


@pytest.fixture
def texts(home):
    (home / "bench.toml").write_text(CONFIG)
    (home / "letters.txt").write_text("abcdefghijklmnopqrstuvwxyzäöüß")
    (home / "ref.txt").write_text("\n".join(REFERENCE) + "\n")
    (home / "hyp.txt").write_text("\n".join(HYPOTHESIS) + "\n")
    return home


def test_two_small_files_have_the_cer_and_wer_of_jiwer(texts, bench):
    answer = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-raw", "--json")
    assert answer.code == 0
    score = json.loads(answer.out)
    kept = [pair for pair in zip(REFERENCE, HYPOTHESIS, strict=True) if pair[0]]
    references, hypotheses = map(list, zip(*kept, strict=True))
    metrics = {name: metric["value"] for name, metric in score["metrics"].items()}
    assert metrics["cer"] == pytest.approx(jiwer.cer(references, hypotheses))
    assert metrics["wer"] == pytest.approx(jiwer.wer(references, hypotheses))
    assert score["samples"] == 3
    assert score["excluded"] == {"empty reference": 1}
    text = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-raw")
    assert text.code == 0
    assert text.err == ""
    assert f"{100 * jiwer.cer(references, hypotheses):.2f} %" in text.out


def test_the_text_has_all_metrics(texts, bench):
    out = bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-iam").out
    assert "protocol htr-iam v2 (" in out
    assert "3 samples scored, 1 excluded" in out
    assert "1 excluded: empty reference" in out
    for word in ("CER", "WER", "accuracy", "substituted", "inserted", "deleted"):
        assert word in out
    assert "(nothing)" in out


def test_glosses_are_scored_from_stm_and_ctm(home, bench):
    (home / "r.stm").write_text("u1 1 s 0.0 1.0 HEUTE NORD WIND\nu2 1 s 0.0 1.0 REGEN\n")
    (home / "h.ctm").write_text("u1 1 0.0 0.1 HEUTE\nu1 1 0.1 0.1 loc-NORD\nu1 1 0.2 0.1 NORD\n")
    answer = bench("score", "r.stm", "h.ctm", "--protocol", "gloss-phoenix14", "--json")
    score = json.loads(answer.out)
    assert [*score["metrics"]] == ["wer", "sequence-accuracy"]
    assert score["metrics"]["wer"] == {"value": 2 / 4, "numerator": 2, "denominator": 4}
    assert (score["substitutions"], score["deletions"], score["insertions"]) == (1, 1, 0)


def test_a_protocol_of_bench_toml_is_scored(texts, bench):
    (texts / "r.txt").write_text("Straße!\nGrüße\n")
    (texts / "h.txt").write_text("strasse\nGRÜßE\n")
    answer = bench("score", "r.txt", "h.txt", "--protocol", "german", "--json")
    score = json.loads(answer.out)
    assert score["metrics"]["cer"] == {"value": 2 / 11, "numerator": 2, "denominator": 11}
    assert score["metrics"]["sequence-accuracy"]["value"] == 1 / 2
    assert score["dropped"] == {"!": 1}
    assert score["protocol"]["charset"].endswith("zäöüß")


def test_dropped_characters_are_shown(texts, bench):
    (texts / "r.txt").write_text("Straße\n")
    out = bench("score", "r.txt", "r.txt", "--protocol", "str-36").out
    assert "characters dropped from references: ß (1)" in out


def test_a_mistake_in_bench_toml_is_located(texts, bench):
    (texts / "bench.toml").write_text(f"{CONFIG}metrics = ['wer']\n")
    answer = bench("score", "ref.txt", "hyp.txt", "--protocol", "german")
    assert answer.code == 2
    assert "bench.toml:7: [protocol.german] metric 'wer' is not defined for unit" in answer.err


def test_a_protocol_of_bench_needs_no_bench_toml(texts, bench):
    (texts / "bench.toml").write_text("this is not TOML")
    assert bench("score", "ref.txt", "hyp.txt", "--protocol", "htr-raw").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ref.txt", "hyp.txt"], "Missing option '--protocol'"),
        (["ref.txt", "hyp.txt", "--protocol", "htr-rwa"], "did you mean 'htr-raw'?"),
        (
            ["ref.txt", "hyp.txt", "--protocol", "x"],
            "; there is digits, german, gloss-phoenix14, htr-iam",
        ),
        (
            ["gone.txt", "hyp.txt", "--protocol", "htr-raw"],
            "gone.txt: the file cannot be read (No such",
        ),
        (["ref.txt", "one.txt", "--protocol", "htr-raw"], "ref.txt has 4 lines, but one.txt has 1"),
        (["bad.txt", "one.txt", "--protocol", "htr-raw"], "bad.txt:1: it is neither UTF-8"),
        (["none.txt", "none.txt", "--protocol", "htr-raw"], "none.txt: no sample with a reference"),
        (["one.txt", "one.txt", "--protocol", "digits"], "one.txt: no sample with a reference"),
        (
            ["r.stm", "hyp.txt", "--protocol", "gloss-phoenix14"],
            "an .stm file must be compared with a .ctm file",
        ),
        (
            ["h.ctm", "r.stm", "--protocol", "gloss-phoenix14"],
            "an .stm file must be compared with a .ctm file",
        ),
        (["r.stm", "h.ctm", "--ids", "--protocol", "gloss-phoenix14"], "--ids is for text files"),
        (["r.stm", "h.ctm", "--protocol", "htr-raw"], "'htr-raw' is not a protocol of glosses"),
        (["ref.txt", "hyp.txt", "--ids", "--protocol", "htr-raw"], "the line has no tab"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(texts, bench, words, message):
    (texts / "one.txt").write_text("one\n")
    (texts / "none.txt").write_text("")
    (texts / "bad.txt").write_bytes(b"\xff\n")
    answer = bench("score", *words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert "Traceback" not in answer.err
