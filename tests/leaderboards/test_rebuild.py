"""Whatever is written into a board by hand is found."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.leaderboards.rebuild import check

PAGE, DATA, INDEX = "tiny/v1/README.md", "tiny/v1/board.json", "README.md"


@pytest.fixture
def boards(home, bench, finish, trials, move_protocol) -> Path:
    """Return the folder of two versions of a board whose rows differ."""
    finish(trials[::2], 91)
    finish(trials[1::2], 84)
    assert bench("board", "tiny").code == 0
    move_protocol()
    assert bench("board", "tiny", "--next").code == 0
    move_protocol(1)
    return home / "leaderboards"


def replace(file: Path, old: str, new: str) -> int:
    """Replace the first `old` in `file`, and return the number of its line."""
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    return content[: content.index(old)].count("\n") + 1


def test_boards_as_they_were_written_pass(boards, bench):
    answer = bench("board", "--check")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "as their seeds give them: tiny/v2, tiny/v1\n"
    assert json.loads(bench("board", "--check", "--json").out) == ["tiny/v2", "tiny/v1"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (PAGE, "91.00", "92.00"),
        (PAGE, "digits v1", "digits v2"),
        (PAGE, "| 2 |", "| 1 |"),
        (DATA, '"mean": 0.91', '"mean": 0.92'),
        (DATA, '"std": 0.0', '"std": 0.1'),
        (DATA, '"rank": 2', '"rank": 1'),
        (DATA, '"version": 1', '"version": 2'),
        (DATA, '"suite": "tiny"', '"suite": "tinny"'),
        (DATA, '"suite": "tiny"', '"more": 1, "suite": "tiny"'),
        (INDEX, "91.00", "99.00"),
        (INDEX, "\n| tiny | [v1]", "\n| tiny | [v3]"),
    ],
)
def test_an_edit_is_named_with_its_file_and_line(boards, bench, name, old, new):
    line = replace(boards / name, old, new) + old.count("\n")
    answer = bench("board", "--check")
    assert (answer.code, answer.out) == (Exit.UNVERIFIED, "")
    assert answer.err.startswith(f"bench: {boards / name}:{line}: there stands '")
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sequence_accuracy": 0.91', '"sequence_accuracy": 0.93'),
        ('"training_seconds": 10.0,\n      "commit"', '"training_seconds": 9.0,\n      "commit"'),
    ],
)
def test_an_edited_seed_no_longer_gives_its_row(boards, old, new):
    replace(boards / DATA, old, new)
    with pytest.raises(BenchError, match=re.escape(str(boards / DATA))) as raised:
        check(boards)
    assert raised.value.code == Exit.UNVERIFIED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rounds": 1', '"rounds": 2'),
        ('"samples": 100', '"samples": 101'),
        ('"about": "Two', '"about": "Three'),
        ("Example CPU", "Better CPU"),
        ('"commit": "0', '"commit": "1'),
        ('"parameters": 12345', '"parameters": 12344'),
    ],
)
def test_edited_data_are_no_longer_those_of_the_page(boards, old, new):
    replace(boards / DATA, old, new)
    with pytest.raises(BenchError, match=re.escape(str(boards / PAGE))) as raised:
        check(boards)
    assert raised.value.code == Exit.UNVERIFIED


def test_rows_in_another_order_are_found(boards):
    document = json.loads((boards / DATA).read_text())
    document["board"]["rows"].reverse()
    (boards / DATA).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    with pytest.raises(BenchError, match=re.escape(str(boards / DATA))):
        check(boards)


def test_a_missing_line_of_the_index_is_found(boards, bench):
    lines = (boards / INDEX).read_text().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines, 1) if "[v1]" in line)
    (boards / INDEX).write_text("".join(lines[: number - 1]))
    answer = bench("board", "--check")
    assert answer.code == Exit.UNVERIFIED
    assert f"{boards / INDEX}:{number}: there stands nothing, but " in answer.err
    assert "give '| tiny | [v1](tiny/v1/README.md)" in answer.err


@pytest.mark.parametrize("name", [PAGE, DATA, INDEX])
def test_a_missing_file_is_found(boards, bench, name):
    (boards / name).unlink()
    assert bench("board", "--check").code == Exit.UNVERIFIED


def test_an_unreadable_board_is_one_sentence(boards, bench):
    (boards / DATA).write_bytes(b"\xff")
    answer = bench("board", "--check")
    assert answer.code == Exit.UNVERIFIED
    assert len(answer.err.splitlines()) == 1
    assert f"{boards / DATA}: this is no board of bench" in answer.err


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from([PAGE, INDEX]), new=st.binary(max_size=3))
def test_no_byte_of_a_page_can_be_changed_unseen(boards, data, name, new):
    file = boards / name
    content = file.read_bytes()
    place = data.draw(st.integers(0, len(content)))
    width = data.draw(st.integers(0, 3))
    changed = content[:place] + new + content[place + width :]
    file.write_bytes(changed)
    try:
        if changed == content:
            check(boards)
        else:
            with pytest.raises(BenchError, match=re.escape(f"{file}:")):
                check(boards)
    finally:
        file.write_bytes(content)


def test_one_suite_may_be_checked_alone(boards, bench):
    shutil.copytree(boards / "tiny", boards / "other")
    assert f"{boards / 'other/v2/board.json'}:" in bench("board", "--check").err
    assert bench("board", "--check", "other").code == Exit.UNVERIFIED
    alone = bench("board", "tiny", "--check")
    assert f"{boards / INDEX}:" in alone.err


def test_a_suite_that_bench_toml_no_longer_has_is_checked_still(boards, bench):
    file = boards.parent / "bench.toml"
    file.write_text(file.read_text().replace("suite.tiny", "suite.small"))
    assert bench("board", "--check", "tiny").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "there is no board"), (["tniy"], "there is no board of 'tniy'")],
)
def test_without_a_board_nothing_is_checked(home, bench, words, said):
    answer = bench("board", "--check", *words)
    assert answer.code == Exit.NOTHING
    assert said in answer.err


def test_a_misspelt_suite_is_said_with_the_nearest(boards, bench):
    assert "no board of 'tniy'; did you mean 'tiny'?" in bench("board", "tniy", "--check").err
