"""Alignments are minimal and deterministic."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bench.core.errors import BenchError
from bench.evaluation.metrics import edit_alignment
from bench.evaluation.metrics.edit_alignment import Edit, align_units

few = st.text("ab", max_size=12) | st.text("abcd é", max_size=12)
any_text = st.text(max_size=20)
COSTS = (3, 3, 4)


def kinds(edits):
    """Return the numbers of substitutions, insertions and deletions."""
    inserted = sum(edit.reference is None for edit in edits)
    deleted = sum(edit.hypothesis is None for edit in edits)
    return len(edits) - inserted - deleted, inserted, deleted


def tags(edits):
    names = {(True, False): "insert", (False, True): "delete", (False, False): "replace"}
    return [names[edit.reference is None, edit.hypothesis is None] for edit in edits]


def cheapest(reference, hypothesis, costs):
    """Return the cost of the best alignment by plain dynamic programming."""
    insertion, deletion, substitution = costs
    row = [insertion * n for n in range(len(hypothesis) + 1)]
    for wanted in reference:
        before, row[0] = row[0], row[0] + deletion
        for n, read in enumerate(hypothesis, 1):
            pair = before + (0 if wanted == read else substitution)
            before, row[n] = row[n], min(pair, row[n] + deletion, row[n - 1] + insertion)
    return row[-1]


def replay(reference, hypothesis, edits):
    """Return whether the edits, in order, change one sequence into the other."""
    states = {(0, 0)}
    for edit in [*edits, None]:
        while True:  # Whatever is the same may be passed.
            more = {
                (r + 1, h + 1)
                for r, h in states
                if r < len(reference) and h < len(hypothesis) and reference[r] == hypothesis[h]
            }
            if more <= states:
                break
            states |= more
        if edit is None:
            return (len(reference), len(hypothesis)) in states
        wanted, read = edit
        states = {
            (r + (wanted is not None), h + (read is not None))
            for r, h in states
            if (wanted is None or reference[r : r + 1] == wanted)
            and (read is None or hypothesis[h : h + 1] == read)
        }
    raise AssertionError


@settings(max_examples=400)
@given(few | any_text, few | any_text)
def test_at_unit_costs_the_edits_equal_those_of_rapidfuzz(reference, hypothesis):
    edits = align_units(reference, hypothesis)
    assert len(edits) == Levenshtein.distance(reference, hypothesis)
    assert tags(edits) == [op.tag for op in Levenshtein.editops(reference, hypothesis)]
    assert replay(reference, hypothesis, edits)


@settings(max_examples=200)
@given(few, few)
def test_at_unit_costs_no_alignment_is_shorter(reference, hypothesis):
    edits = align_units(reference, hypothesis)
    assert replay(reference, hypothesis, edits)
    assert len(edits) == cheapest(reference, hypothesis, (1, 1, 1))


@given(few, few)
def test_at_unit_costs_common_ends_are_matched(reference, hypothesis):
    edits = align_units(f"x{reference}y", f"x{hypothesis}y")
    assert edits == align_units(reference, hypothesis)


@settings(max_examples=200)
@given(few, few, st.sampled_from([COSTS, (1, 2, 2), (2, 1, 5)]))
def test_at_other_costs_no_alignment_is_cheaper(reference, hypothesis, costs):
    edits = align_units(reference, hypothesis, costs)
    assert replay(reference, hypothesis, edits)
    paid = sum(map(int.__mul__, kinds(edits), (costs[2], *costs[:2])))
    assert paid == cheapest(reference, hypothesis, costs)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", []),
        ("", "a", [Edit(None, "a")]),
        ("a", "", [Edit("a", None)]),
        ("house", "hoUse", [Edit("u", "U")]),
        ("abc", "ac", [Edit("b", None)]),
        ("ac", "abc", [Edit(None, "b")]),
        ("kitten", "sitting", [Edit("k", "s"), Edit("e", "i"), Edit(None, "g")]),
    ],
)
@pytest.mark.parametrize("costs", [(1, 1, 1), COSTS])
def test_edits_by_hand(reference, hypothesis, expected, costs):
    assert align_units(reference, hypothesis, costs) == expected


def test_costs_may_prefer_two_edits_to_three():
    # One substitution costs less than a deletion and an insertion; two cost more.
    assert kinds(align_units("xyz", "abc", COSTS)) == (3, 0, 0)
    assert kinds(align_units("abx", "xab", COSTS)) == (0, 1, 1)


def test_at_equal_costs_sclite_prefers_the_pair_then_the_insertion():
    # The result of sclite of SCTK 2.4.10: 12 edits, though 11 would have the same cost.
    reference, hypothesis = "CBAABBBBDBDDAC", "DDDDDABDB"
    assert kinds(align_units(reference, hypothesis, COSTS)) == (3, 2, 7)


def test_at_unit_costs_deletions_precede_insertions_from_the_back():
    # "ab" to "ba": a deletion and an insertion have the cost of two substitutions.
    assert align_units("ab", "ba") == [Edit(None, "b"), Edit("b", None)]
    assert align_units("abc", "xbca") == [Edit("a", "x"), Edit(None, "a")]


def test_tokens_are_any_sequence_of_strings():
    assert align_units(["WIND", "NORD"], ["NORD"]) == [Edit("WIND", None)]


def test_ten_thousand_characters_are_aligned():
    reference, hypothesis = "abcdefg " * 1_250, "abdcefg " * 1_250
    assert len(align_units(reference, hypothesis)) == Levenshtein.distance(reference, hypothesis)


def test_sequences_that_exceed_the_memory_are_an_error():
    side = int(edit_alignment.MAX_CELLS**0.5) + 1
    with pytest.raises(BenchError, match=r"too long to be aligned; split both"):
        align_units("a" * side, "b" * side, COSTS)


def test_at_unit_costs_long_sequences_are_aligned():
    reference, hypothesis = "abcde" * 6_000, "abcdf" * 6_000
    assert kinds(align_units(reference, hypothesis)) == (6_000, 0, 0)
