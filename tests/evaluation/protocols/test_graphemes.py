"""Grapheme clusters as the unit of a declared protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import counts

from bench.evaluation import protocols

GRAPHEMES = protocols.declare_protocol("graphemes", {"unit": "grapheme"})
CODE_POINTS = protocols.declare_protocol("code-points", {"unicode": "NFC"})


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("हिन्दी", ["हि", "न्दी"]),
        ("مُحَمَّد", ["مُ", "حَ", "مَّ", "د"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👩\u200d👧", ["👩\u200d👧"]),
        ("e\u0301", ["é"]),
        ("q\u0307\u0323", ["q\u0323\u0307"]),
        ("தமிழ்", ["த", "மி", "ழ்"]),
        ("한글", ["한", "글"]),
        ("abc", ["a", "b", "c"]),
    ],
)
def test_a_text_is_split_into_clusters(text, clusters):
    assert [*GRAPHEMES.tokens(GRAPHEMES.normalize(text))] == clusters


@pytest.mark.parametrize(
    ("reference", "hypothesis", "clusters", "points"),
    [
        ("हिन्दी", "हिन्द", (1, 2), (1, 6)),
        ("مُحَمَّد", "محمد", (3, 4), (4, 8)),
        ("🇩🇪", "🇫🇷", (1, 1), (2, 2)),
        ("cafe\u0301", "café", (0, 4), (0, 4)),
        ("नमस्ते", "नमस्ते", (0, 3), (0, 6)),
    ],
)
def test_an_edit_is_counted_per_cluster(reference, hypothesis, clusters, points):
    pair = [(reference, hypothesis)]
    assert counts("cer", GRAPHEMES, pair) == [clusters]
    assert counts("cer", CODE_POINTS, pair) == [points]
    [(same, _)] = counts("sequence-accuracy", GRAPHEMES, pair)
    assert same == (clusters[0] == 0)


def test_metrics_of_characters_count_clusters():
    assert GRAPHEMES.metrics == ("sequence-accuracy", "cer", "one-minus-ned", "ccr")
    pair = [("हिन्दी", "हिx")]
    assert counts("ccr", GRAPHEMES, pair) == [(1, 2)]
    assert counts("one-minus-ned", GRAPHEMES, pair) == [(500_000, 1_000_000)]
    lines = protocols.declare_protocol("lines", {"unit": "grapheme", "word_rule": "spaces"})
    assert lines.metrics == ("cer", "wer", "sequence-accuracy")
    assert counts("wer", lines, [("हिन्दी भाषा", "हिन्दी भाष")]) == [(1, 2)]


def test_the_normal_form_is_nfc_unless_another_is_set():
    assert GRAPHEMES.unicode == "NFC"
    assert (
        protocols.declare_protocol("k", {"unit": "grapheme", "unicode": "NFKC"}).unicode == "NFKC"
    )
    spec = GRAPHEMES.spec()
    assert protocols.protocol_from_spec(spec, GRAPHEMES.metrics).tokens("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_has_more_clusters_than_code_points(reference, hypothesis):
    clusters = GRAPHEMES.tokens(GRAPHEMES.normalize(reference))
    assert "".join(clusters) == GRAPHEMES.normalize(reference)
    [(edits, units)] = counts("cer", GRAPHEMES, [("a" + reference, hypothesis)])
    assert 0 <= edits <= units + len(hypothesis)
