"""A version of a board has one protocol and one set of data, and is never rewritten."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import suite as suites
from bench.core.errors import BenchError, Exit
from bench.data.datasets.seq_digits import SeqDigits
from bench.evaluation import protocols
from bench.leaderboards import aggregate, versions
from bench.leaderboards import board_identity as identity
from bench.losses.ctc import CTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid, plan
from bench.trials import store as disk


def suite_of(version: int, rounds: int) -> suites.Suite:
    return suites.Suite(
        name="moving",
        about="",
        protocol=replace(protocols.find("digits"), version=version),
        datasets=(SeqDigits(rounds=rounds),),
        models=(CnnBiLSTM(),),
        losses=(CTC(),),
        seeds=(0, 1),
        training=suites.Recipe(1, 1, 1.0),
        resources=suites.Resources(),
        skip_incompatible=False,
    )


any_suite = st.builds(suite_of, version=st.integers(1, 3), rounds=st.integers(1, 3))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def document(home: Path, version: int) -> dict:
    return json.loads((home / f"leaderboards/tiny/v{version}/board.json").read_text())["board"]


def test_the_identity_is_the_protocol_and_the_data(suite):
    dataset = suite.datasets[0]
    assert identity.of(suite) == {
        "protocol": suite.protocol.spec(),
        "datasets": {
            "seq-digits": {
                "name": "seq-digits",
                "version": 1,
                "parameters": {"digits": 2, "ramp": [0.3, 0.5, 0.7], "end_frames": 2, "rounds": 1},
                "fingerprint": dataset.fingerprint(),
            }
        },
    }


def test_what_a_board_compares_is_no_part_of_its_identity(suite):
    other = replace(
        suite,
        about="x",
        models=(CnnBiLSTM(width=9),),
        losses=(CTC(),),
        seeds=(7,),
        training=suites.Recipe(9, 9, 9.0),
    )
    assert identity.of(other) == identity.of(suite)


def test_datasets_of_one_name_are_told_apart_in_any_order(suite):
    pair = (SeqDigits(digits=3), SeqDigits())
    both = identity.of(replace(suite, datasets=pair))
    assert sorted(both["datasets"]) == ["seq-digits", "seq-digits(digits=3)"]
    again = identity.of(replace(suite, datasets=pair[::-1]))
    assert json.dumps(again) == json.dumps(both)


@settings(deadline=None, max_examples=50)
@given(one=any_suite, other=any_suite)
def test_boards_have_the_same_fingerprint_exactly_when_protocol_and_data_are_the_same(one, other):
    boards = [aggregate.board(suite, []) for suite in (one, other)]
    same = (one.protocol, one.datasets) == (other.protocol, other.datasets)
    assert (boards[0].fingerprint == boards[1].fingerprint) is same


@settings(deadline=None, max_examples=25)
@given(recorded=st.lists(any_suite, max_size=5), drawn=any_suite)
def test_a_board_has_no_record_of_another_protocol_or_other_data(make_record, recorded, drawn):
    with tempfile.TemporaryDirectory() as folder:
        store = disk.Store(Path(folder))
        for trial in (trial for suite in recorded for trial in grid.trials(suite)):
            record = make_record(trial, correct=1, samples=2, edits=1, length=4)
            disk.write(store.begin(trial) / disk.RECORD, record)
        made = aggregate.board(drawn, plan.survey(grid.trials(drawn), store))
        records = [store.find(seed.key)[1] for row in made.rows for seed in row.seeds]
    assert len(records) == (2 if drawn in recorded else 0)
    for record in records:
        assert record.spec["protocol"] == made.identity["protocol"]
        assert [record.spec["dataset"]] == [*made.identity["datasets"].values()]


def test_the_first_version_is_written_again_while_nothing_moves(home, bench, finish, trials):
    finish(trials[:1])
    assert bench("board", "tiny").code == 0
    finish(trials)
    assert bench("board", "tiny").code == 0
    assert [len(row["seeds"]) for row in document(home, 1)["rows"]] == [2, 2]
    before = contents(home / "leaderboards")
    assert bench("board", "tiny").code == 0
    assert contents(home / "leaderboards") == before
    assert sorted(before) == [
        "README.md",
        *(f"tiny/v1/{name}" for name in ("README.md", "board.json", "samples.csv")),
    ]


def test_a_moved_protocol_is_refused_and_the_next_version_takes_it(
    home, bench, finish, trials, move_protocol
):
    finish(trials)
    assert bench("board", "tiny").code == 0
    first = contents(home / "leaderboards")
    move_protocol()
    refused = bench("board", "tiny")
    assert (refused.code, refused.out) == (Exit.UNVERIFIED, "")
    assert refused.err == (
        f"bench: {home / 'leaderboards/tiny/v1'}: protocol and data are no longer those of this "
        "board (protocol.version: 1 → 2), so it stays as it is; every record is kept, "
        "`bench board tiny --next` writes v2\n"
    )
    assert contents(home / "leaderboards") == first

    assert bench("board", "tiny", "--next").code == 0
    assert document(home, 2)["protocol"] == "digits v2"
    assert [row["missing"] for row in document(home, 2)["rows"]] == [
        {"0": "stale", "1": "stale"}
    ] * 2
    after = contents(home / "leaderboards")
    assert {name: after[name] for name in first if "/" in name} == {
        name: first[name] for name in first if "/" in name
    }
    assert bench("board", "tiny").code == 0
    assert contents(home / "leaderboards") == after
    assert bench("board", "--check").code == 0


def test_moved_data_are_named_by_what_moved(home, bench, finish, trials):
    finish(trials)
    assert bench("board", "tiny").code == 0
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("digits = 2, rounds = 1", "digits = 3, rounds = 2"))
    refused = bench("board", "tiny")
    assert refused.code == Exit.UNVERIFIED
    assert (
        "(datasets.seq-digits.parameters.digits: 2 → 3; "
        "datasets.seq-digits.parameters.rounds: 1 → 2)"
    ) in refused.err


def test_what_a_board_compares_may_move_within_a_version(home, bench):
    assert bench("board", "tiny").code == 0
    file = home / "bench.toml"
    moved = (
        file.read_text()
        .replace("seeds = [0, 1]", "seeds = [0]")
        .replace("epochs = 1", "epochs = 2")
    )
    file.write_text(moved.replace("hidden = 4", "hidden = 5"))
    assert bench("board", "tiny").code == 0
    assert document(home, 1)["seeds"] == [0]


def test_no_next_version_starts_where_nothing_moved(home, bench):
    assert bench("board", "tiny", "--next").code == 0
    before = contents(home / "leaderboards")
    answer = bench("board", "tiny", "--next")
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    assert "so there is no next version to start; `bench board tiny` writes this one" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert contents(home / "leaderboards") == before


def test_an_identity_that_returns_is_a_version_of_its_own(home, bench, move_protocol):
    for version in (1, 2, 1):
        move_protocol(version)
        assert bench("board", "tiny", "--next").code == 0
    assert [document(home, n)["protocol"] for n in (1, 2, 3)] == [
        "digits v1",
        "digits v2",
        "digits v1",
    ]


def test_the_tenth_version_comes_after_the_ninth(home, bench, move_protocol):
    for version in range(1, 12):
        move_protocol(version)
        assert bench("board", "tiny", "--next").code == 0
    names = [folder.name for folder in versions.of_suite(home / "leaderboards/tiny")]
    assert names == [f"v{number}" for number in range(11, 0, -1)]


def test_a_latest_board_that_cannot_be_read_is_not_overwritten(home, bench):
    assert bench("board", "tiny").code == 0
    file = home / "leaderboards/tiny/v1/board.json"
    file.write_text("{")
    answer = bench("board", "tiny")
    assert answer.code == Exit.UNVERIFIED
    assert f"{file}: this is no board of bench" in answer.err
    assert file.read_text() == "{"


@pytest.mark.parametrize(
    ("word", "found"),
    [("tiny", "tiny/v2"), ("tiny/v1", "tiny/v1"), ("leaderboards/tiny/v1", "tiny/v1")],
)
def test_a_board_is_found_by_suite_version_or_folder(home, bench, move_protocol, word, found):
    assert bench("board", "tiny").code == 0
    move_protocol()
    assert bench("board", "tiny", "--next").code == 0
    assert versions.name(versions.find(word, home / "leaderboards")) == found


def test_a_board_that_is_not_there_is_said_with_the_nearest(home, bench):
    assert bench("board", "tiny").code == 0
    with pytest.raises(BenchError, match="no board 'tiny/v3'; did you mean 'tiny/v1'") as raised:
        versions.find("tiny/v3", home / "leaderboards")
    assert raised.value.code == Exit.USAGE


def test_a_board_of_records_is_not_replaced_by_one_of_none(home, bench, store, trials, make_record):
    record = make_record(trials[0], correct=1, samples=2, edits=1, length=4)
    disk.write(store.begin(trials[0]) / disk.RECORD, record)
    assert bench("board", "tiny").code == 0
    page = home / "leaderboards/tiny/v1/README.md"
    before = page.read_bytes()
    (store.root / trials[0].dataset.name).rename(home / "away")
    answer = bench("board", "tiny")
    assert answer.code == 3
    assert "stays as it is" in answer.err
    assert page.read_bytes() == before
