"""Rows of two boards are matched; a published row never loses evaluations or latencies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.leaderboards.board import Board, BoardColumn, Row, SeedResult
from bench.leaderboards.matching import (
    changed_evaluations,
    matched_rows,
    merged_rows,
    with_published_speeds,
)
from bench.leaderboards.speed import Speed

SEEDS, COLUMNS = (0, 1, 2), ("x", "y")
PLACES = [(seed, column) for seed in SEEDS for column in COLUMNS]


def row(entry: str, keys: dict[tuple[int, str], str], label: str = "", **changes) -> Row:
    """Return a row with the keys of its evaluations by seed and column."""
    seeds = {
        seed: {column: key for (other, column), key in keys.items() if other == seed}
        for seed in sorted({seed for seed, _ in keys})
    }
    made = Row(
        entry=entry,
        label=label or entry,
        origin="trained",
        timed=True,
        model="m",
        loss="l",
        decoder="greedy",
        input="i",
        train=[],
        may_have_seen=[],
        recipe={},
        tuning=None,
        seeds=[SeedResult(seed, [], each, {}, None, []) for seed, each in seeds.items()],
        missing=[],
        parameters=[],
        hardware=[],
        speed={},
    )
    return replace(made, **changes)


def board(rows: list[Row], **changes) -> Board:
    made = Board(
        suite="toy",
        version=None,
        about="",
        protocol="",
        protocol_about="",
        identity={},
        metrics=[],
        ranked_by="",
        average="weighted",
        columns=[BoardColumn(name, name) for name in COLUMNS],
        seeds=[*SEEDS],
        rows=rows,
    )
    return replace(made, **changes)


def keys(version: str = "k", seeds=SEEDS, columns=COLUMNS) -> dict[tuple[int, str], str]:
    return {(s, c): f"{version}{s}{c}" for s in seeds for c in columns}


evaluations = st.dictionaries(st.sampled_from(PLACES), st.sampled_from(["old", "new"]))


@given(st.lists(evaluations, max_size=3), st.lists(evaluations, max_size=3))
def test_no_merged_row_has_fewer_evaluations_than_the_published_one(published, working):
    before = board([row(f"r{n}", each) for n, each in enumerate(published)])
    after = board([row(f"r{n}", each) for n, each in enumerate(working)])
    merged = {each.entry: each for each in merged_rows(before, after)}
    assert merged.keys() == {each.entry for each in (*before.rows, *after.rows)}
    for old in before.rows:
        kept = merged[old.entry]
        assert len(kept.evaluations) >= len(old.evaluations)
        if kept != old:
            same = kept.evaluations.items() >= old.evaluations.items()
            assert same or after.is_complete(kept)


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        (keys(), keys(), True),
        (keys(seeds=[0]), keys(), True),
        (keys(), keys(seeds=[0]), False),
        (keys(), keys("z"), True),
        (keys(), keys("z", seeds=[0, 1]), False),
        (keys(columns=["x"]), keys("z", columns=["x"]), False),
        ({}, keys(seeds=[0], columns=["x"]), True),
        (keys(), {}, False),
    ],
)
def test_a_row_is_replaced_by_one_with_more_evaluations_or_a_complete_one_with_other_keys(
    old, new, replaced
):
    before, after = board([row("r", old)]), board([row("r", new, parameters=[7])])
    (merged,) = merged_rows(before, after)
    assert (merged.parameters == [7]) is replaced


def test_rows_match_by_entry_otherwise_by_label():
    before = board([row("a", {}, "same"), row("b", {}, "gone"), row("c", {}, "renamed")])
    after = board([row("z", {}, "same"), row("c", {}, "other"), row("y", {}, "new")])
    pairs = [(old and old.entry, new and new.entry) for old, new in matched_rows(before, after)]
    assert pairs == [("a", "z"), ("c", "c"), (None, "y"), ("b", None)]


def test_changed_evaluations_are_those_that_both_rows_have():
    old, new = row("r", {(0, "x"): "a", (1, "x"): "b"}), row("r", {(0, "x"): "c", (2, "x"): "d"})
    assert changed_evaluations(old, new) == [(0, "x")]


VALID = Speed("p", 10, {"1": 1.0, "24": 2.0}, {})
FASTER = Speed("p", 10, {"1": 0.5, "24": 1.0}, {})
INVALID = Speed("p", 10, {"1": None, "24": None}, {"1": "the machine was busy"})
OTHER_INVALID = replace(INVALID, profile="q")
ABSENT = Speed(None, 10, {"1": None, "24": None}, {})


def merged_speed(old: Speed | None, new: Speed | None, **changes) -> tuple[Speed | None, str]:
    """Return the speed and the hardware after publishing `new` over `old`."""
    before = board([row("r", keys(), speed={"x": old} if old else {})], speed_hardware="A")
    hardware = {"speed_hardware": "A"} | changes
    after = board([row("r", keys(), speed={"x": new} if new else {})], **hardware)
    made = with_published_speeds(after, before)
    return made.rows[0].speed.get("x"), made.speed_hardware


@pytest.mark.parametrize("new", [INVALID, ABSENT, None])
def test_a_valid_latency_is_not_replaced_by_an_invalid_or_missing_one(new):
    assert merged_speed(VALID, new) == (VALID, "A")


@pytest.mark.parametrize("old", [VALID, INVALID, None])
def test_a_valid_latency_replaces_the_published_one(old):
    assert merged_speed(old, FASTER) == (FASTER, "A")


def test_a_latency_of_another_profile_is_not_kept():
    assert merged_speed(VALID, OTHER_INVALID) == (OTHER_INVALID, "A")


def test_a_missing_latency_is_not_filled_in_where_the_evaluations_changed():
    before = board([row("r", keys(), speed={"x": VALID})], speed_hardware="A")
    after = board([row("r", keys("z"), speed={})], speed_hardware="A")
    assert with_published_speeds(after, before).rows[0].speed == {}


def test_the_hardware_with_more_valid_latencies_is_chosen():
    assert merged_speed(VALID, FASTER, speed_hardware="B") == (FASTER, "B")
    assert merged_speed(VALID, INVALID, speed_hardware="B") == (VALID, "A")
    assert merged_speed(VALID, None, speed_hardware=None) == (VALID, "A")


def test_hardware_without_displayed_latencies_is_listed():
    before = board([row("r", keys(), speed={"x": VALID})], speed_hardware="A")
    after = board([row("r", keys(), speed={"x": INVALID})], speed_hardware="B")
    assert with_published_speeds(after, before).other_hardware == ["B"]
