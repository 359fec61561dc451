"""Two boards compared: what moved, by how much, and why."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.leaderboards import aggregate, difference
from bench.leaderboards.aggregate import Board, Names, Row, Seed

seeds = st.builds(
    Seed,
    seed=st.just(0),
    key=st.sampled_from(["a", "b"]),
    sequence_accuracy=st.sampled_from([0.25, 0.5, 1.0]),
    cer=st.sampled_from([0.125, 0.75]),
    samples=st.just(4),
    excluded=st.just({}),
    training_seconds=st.just(1.0),
    commit=st.sampled_from(["c", "d"]),
)
outcomes = st.dictionaries(
    st.builds(Names, st.just("data"), st.sampled_from("xyz"), st.sampled_from("uv"), st.just("")),
    st.lists(seeds, max_size=1),
)


def board(rows: dict[Names, list[Seed]], **changes) -> Board:
    blank = Board("s", 1, "", "p v1", "", {"protocol": {"version": 1}}, [0], ["CPU"], [])
    listed = [
        Row(None, *names[:3], None, None, None, None, found, {}) for names, found in rows.items()
    ]
    return aggregate.recomputed(replace(blank, rows=listed, **changes))


def seed(number: int, right: float, **changes) -> Seed:
    return replace(Seed(number, f"k{number}", right, 0.5, 4, {}, 1.0, "old"), **changes)


NAMES = Names("data", "x", "u")


@settings(deadline=None, max_examples=50)
@given(rows=outcomes)
def test_a_board_does_not_differ_from_itself(rows):
    found = difference.between(board(rows), board(rows))
    moved = (found.identity, found.conditions, found.added, found.removed, found.changed)
    assert moved == ([],) * 5
    assert difference.text(found) == "s v1 → s v1\n\nNothing moved."


@settings(deadline=None, max_examples=100)
@given(one=outcomes, other=outcomes)
def test_the_way_back_is_the_way_there_reversed(one, other):
    there = difference.between(board(one), board(other))
    back = difference.between(board(other), board(one))
    assert {*there.added} == {*back.removed} == other.keys() - one.keys()
    assert {*there.removed} == {*back.added} == one.keys() - other.keys()
    reverse = {change.row: change for change in back.changed}
    assert {change.row for change in there.changed} == reverse.keys()
    for change in there.changed:
        turned = reverse[change.row]
        assert change.rank == turned.rank[::-1]
        assert change.seeds == turned.seeds[::-1]
        assert change.commits == turned.commits[::-1]
        assert change.other_keys == turned.other_keys
        if change.sequence_accuracy is None:
            assert turned.sequence_accuracy is None
        else:
            assert change.sequence_accuracy == -turned.sequence_accuracy


def test_scores_move_by_percentage_points():
    before = board({NAMES: [seed(0, 0.5), seed(1, 0.25)], Names("data", "y", "u"): [seed(0, 0.4)]})
    after = board({NAMES: [seed(0, 0.5), seed(1, 0.0)], Names("data", "y", "u"): [seed(0, 0.4)]})
    found = difference.between(before, after)
    (change,) = found.changed
    assert change.row == NAMES
    assert change.rank == (2, 2)
    assert change.sequence_accuracy == pytest.approx(-12.5)
    assert change.cer == 0.0


def test_ranks_seeds_keys_and_commits_are_told():
    before = board({NAMES: [seed(0, 0.5), seed(1, 0.5)], Names("data", "y", "u"): [seed(0, 0.75)]})
    new = [seed(1, 1.0, key="other", commit="new"), seed(2, 1.0)]
    after = board({NAMES: new, Names("data", "y", "u"): [seed(0, 0.75)]}, seeds=[0, 1, 2])
    found = difference.between(before, after)
    assert found.conditions == ["seeds: [0] → [0, 1, 2]"]
    assert found.changed[0] == difference.Change(
        row=NAMES,
        rank=(2, 1),
        sequence_accuracy=50.0,
        cer=0.0,
        seeds=([0, 1], [1, 2]),
        other_keys=[1],
        commits=(["old"], ["new", "old"]),
    )
    drawn = difference.text(found)
    for words in ("2 → 1", "+50.00", "+0.00", "0, 1 → 1, 2", "old → new, old"):
        assert words in drawn


def test_a_row_without_a_score_has_no_points():
    found = difference.between(board({NAMES: []}), board({NAMES: [seed(0, 0.5)]}))
    (change,) = found.changed
    assert (change.sequence_accuracy, change.cer, change.rank) == (None, None, (None, 1))
    assert "– → 1" in difference.text(found)


def test_a_new_version_explains_itself(home, bench, finish, trials, suite, move_protocol):
    from bench.evaluation import protocols
    from bench.trials import grid

    finish(trials, 50)
    assert bench("board", "tiny").code == 0
    move_protocol()
    file = home / "bench.toml"
    changed = file.read_text().replace('losses = ["ctc", "radial-ctc"]', 'losses = ["ctc"]')
    file.write_text(changed.replace('[{ name = "cnn-bilstm"', '["lenetpp", { name = "cnn-bilstm"'))
    moved = replace(suite, protocol=protocols.find("digits"), losses=suite.losses[:1])
    finish(grid.trials(moved), 60)
    assert bench("board", "tiny", "--next").code == 0

    answer = bench("board", "diff", "tiny/v1", "tiny")
    assert answer.code == 0
    title, identity, table, added, removed = answer.out.strip().split("\n\n")
    model = "cnn-bilstm(width=2, hidden=4)"
    assert title == "tiny v1 → tiny v2"
    assert identity.splitlines() == [
        "Protocol or data moved; the scores are not comparable:",
        "  protocol.version: 1 → 2",
    ]
    header, line = table.splitlines()
    assert "accuracy, points" in header
    assert model in line
    assert "+10.00" in line
    assert "-2.50" in line
    assert added == "Rows added:\n  seq-digits(digits=2, rounds=1) · lenetpp · ctc"
    assert removed == f"Rows removed:\n  seq-digits(digits=2, rounds=1) · {model} · radial-ctc"

    document = json.loads(bench("board", "diff", "tiny/v1", "tiny/v2", "--json").out)
    assert document["identity"] == ["protocol.version: 1 → 2"]
    assert document["changed"][0]["sequence_accuracy"] == pytest.approx(10)
    assert document["changed"][0]["other_keys"] == [0, 1]
    assert [*document] == [
        "before",
        "after",
        "identity",
        "conditions",
        "added",
        "removed",
        "changed",
    ]
