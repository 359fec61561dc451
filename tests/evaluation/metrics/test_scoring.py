"""A score of texts: what is counted once, wherever it is shown."""

from __future__ import annotations

import tracemalloc

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.core import hashing
from bench.core.errors import BenchError
from bench.evaluation import protocols
from bench.evaluation.metrics import edit_alignment as alignment
from bench.evaluation.metrics.score_report import text
from bench.evaluation.metrics.scoring import Confusion, OfLength, Sample, score

line = st.text("ab cé", max_size=10)


def of(name, *pairs):
    return score(protocols.find(name), (Sample(str(n), *pair) for n, pair in enumerate(pairs)))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(line, line), min_size=1, max_size=6))
def test_substitutions_insertions_and_deletions_are_those_of_jiwer(pairs):
    pairs = [(r.strip(), h.strip()) for r, h in pairs if r.strip()]
    assume(pairs)
    expected = jiwer.process_characters(*map(list, zip(*pairs, strict=True)))
    found = of("htr-raw", *pairs)
    assert found.substitutions == expected.substitutions
    assert found.insertions == expected.insertions
    assert found.deletions == expected.deletions
    assert found.cer == pytest.approx(expected.cer)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(protocols.PROTOCOLS)),
    st.lists(st.tuples(st.text(max_size=12) | line, st.text(max_size=12) | line), max_size=6),
)
def test_no_sample_goes_missing(name, pairs):
    scored = [pair for pair in pairs if protocols.find(name).excludes(pair[0]) is None]
    if not scored:
        with pytest.raises(ValueError, match="no sample"):
            of(name, *pairs)
        return
    found = of(name, *pairs)
    assert found.rates.samples == len(scored)
    assert found.rates.samples + sum(found.rates.excluded.values()) == len(pairs)
    assert sum(one.samples for one in found.by_length) == len(scored)
    assert sum(one.correct for one in found.by_length) == found.rates.correct
    counted = found.substitutions + found.insertions + found.deletions
    assert counted == found.rates.edits
    assert sum(kind.count for kind in found.confusions) == counted
    assert text(found)


def test_a_score_by_hand():
    found = of("str-36", ("It's", "ITS"), ("seven", "sewen"), ("seven", "even"), ("?", "x"))
    assert found.rates.samples == 3
    assert found.rates.excluded == {"nothing of the reference in the charset": 1}
    assert found.normalised == 1
    assert (found.cer, found.wer) == (2 / 13, None)
    assert (found.sequence_accuracy, found.ccr) == (1 / 3, 7 / 13)
    assert found.one_minus_ned == pytest.approx((1 + 4 / 5 + 4 / 5) / 3)
    assert found.by_length == [OfLength(3, 1, 1), OfLength(5, 2, 0)]
    assert found.confusions == [Confusion("s", "", 1), Confusion("v", "w", 1)]
    assert (found.substitutions, found.insertions, found.deletions) == (1, 0, 1)


def test_the_order_of_the_samples_moves_nothing():
    pairs = [("ab", "ba"), ("abc", "abd"), ("x", "")]
    assert of("htr-raw", *pairs) == of("htr-raw", *pairs[::-1])


def test_a_score_names_its_protocol_and_the_hash_of_it():
    found = of("htr-iam", ("a", "a"))
    assert found.protocol == protocols.find("htr-iam").spec()
    assert found.key == hashing.digest(found.protocol)


def test_the_thesis_also_has_the_mean_of_its_batches():
    pairs = [("abcd", "abcd")] * 32 + [("ab", "xy")]
    found = of("htr-thesis", *pairs)
    assert found.cer == 2 / (32 * 6 + 4)
    assert found.batch_cer == (0 / 192 + 2 / 4) / 2
    assert of("htr-raw", *pairs).batch_cer is None


def test_one_too_long_to_align_is_named():
    side = int(alignment.MOST_BITS**0.5) + 1
    with pytest.raises(BenchError, match=r"^1: a reference of .* too long to be aligned"):
        of("htr-raw", ("a", "a"), ("a" * side, "b" * side))


def test_a_large_corpus_is_not_kept():
    samples = (Sample("", f"line {n}", "line 7") for n in range(20_000))
    tracemalloc.start()
    score(protocols.find("htr-iam"), samples)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def test_the_text_shows_what_does_not_print_as_escapes():
    said = text(of("htr-raw", ("a b", "ab"), ("a", "\x1b")))
    assert "\x1b" not in said
    assert "'\\x1b'" in said
    assert "' '" in said
    assert "(nothing)" in said
