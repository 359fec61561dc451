"""Texts of others never reach a terminal, a log, a page or a record of failure as they are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import one_line
from bench.core.printable import (
    MAX_MESSAGE,
    escaped_markdown,
    printable_json,
    unescaped_code,
)
from bench.core.private_paths import without_private_paths
from bench.leaderboards import working
from bench.tasks.task import fail, failed_attempt
from bench.trials import store as disk
from bench.trials.records import Acceptance

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\u202eright\u2028line\r\nforged: all is well\x9b31m"
    "<script>alert(1)</script><img src=x onerror=y> [link](http://evil.example) ![i](x) `code` | p "
    "https://evil.example @someone " + "endless" * 1000
)
OF_PAGES = {"<details>", "</details>", "<summary>", "</summary>"}
"""The HTML that pages of boards have themselves."""
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def assert_clean(text: str) -> None:
    """Assert that a terminal has nothing to obey, no line is forged, and none is endless."""
    assert not RAW.search(text), RAW.search(text)
    assert "\nforged" not in text
    assert max(map(len, text.splitlines()), default=0) < 12 * MAX_MESSAGE


def assert_no_markup(page: str) -> None:
    """Assert that a page of Markdown shows texts of others as text."""
    assert_clean(page)
    outside_code = re.sub(r"\\.|(`+)(?:\\.|[^`\\])*\1", "", page)
    assert {*re.findall("<[A-Za-z/!?][^>]*>?", outside_code)} <= OF_PAGES
    for line in re.sub(r"!\[[\w ]+\]\(figures/[\w-]+\.svg\)", "", outside_code).splitlines():
        assert "](http" not in line
        assert "![" not in line
        assert "`" not in line
        assert "https://evil" not in line
    assert "@someone" not in outside_code


@pytest.fixture
def hostile_results(finish, trials, leave, store, make_training_record, make_evaluation_record):
    """Leave records with a hostile text wherever a machine, a data set or others may put one."""
    failed, accepted = trials[0], trials[1]
    finish(trials[1:])
    leave(failed.trainings[0])
    for trial in trials[1:]:
        for task in trial.tasks:
            record = store.record(task)
            origin = replace(
                record.provenance, cpu=HOSTILE, commit=HOSTILE, platform=HOSTILE, finished=HOSTILE
            )
            changes = {"provenance": origin}
            if task.kind == "evaluation":
                changes["excluded"] = {HOSTILE: 3}
                changes["dropped"] = {HOSTILE: 3, "`": 2, "<b>": 1}
            if trial is accepted:
                changes["accepted"] = Acceptance(HOSTILE, HOSTILE, HOSTILE)
            file = store.folder(task) / disk.RECORDS[task.kind]
            disk.write(file, replace(record, **changes))
    for evaluation in failed.evaluations.values():
        attempt = replace(failed_attempt("error", "no"), message=HOSTILE, where=HOSTILE)
        fail(evaluation, store, [attempt])
    return trials


def test_no_verb_prints_or_writes_a_text_of_others_raw(bench, home, hostile_results):
    failed, accepted, *_ = hostile_results
    evaluation = next(iter(accepted.evaluations.values()))
    for words in (
        ("status", "tiny", "--why"),
        ("run", "tiny", "--dry-run"),
        ("board", "tiny"),
        ("board", "diff", "tiny"),
        ("show", evaluation.key),
        ("show", accepted.trainings[0].key),
        ("show", next(iter(failed.evaluations.values())).key),
        ("verify",),
        ("show", HOSTILE[:300]),
        ("board", HOSTILE[:300]),
        ("compare", HOSTILE[:300], "tiny#1"),
        ("status", f"--{HOSTILE[:300]}"),
    ):
        answer = bench(*words)
        assert_clean(answer.out)
        assert_clean(answer.err)
        assert "endless" * 400 not in answer.out + answer.err
    for words in (("status", "tiny", "--json"), ("board", "tiny", "--json")):
        answer = bench(*words)
        json.loads(answer.out)
        assert not RAW.search(answer.out.replace("\n", ""))
    board = home / "results" / "boards" / "tiny"
    assert_no_markup((board / "README.md").read_text())


def test_a_failure_on_a_board_is_one_short_line_without_a_home(home, suite, trials, store, finish):
    from bench.config import bench_toml

    finish(trials[1:])
    secret = f"{home}/private/checkpoint.pt: broken; see /home/someone/notes/plan.txt"
    error = RuntimeError(f"{secret}\n" + "second line\n" * 500_000)
    for evaluation in trials[0].evaluations.values():
        failure = fail(evaluation, store, [failed_attempt("error", one_line(error))])
        assert len(failure.message) <= MAX_MESSAGE
    board = working.write_working_board(bench_toml.load(home / "bench.toml"), suite)
    [missing] = {each.why for row in board.rows for each in row.missing}
    assert missing == "error: RuntimeError: private/checkpoint.pt: broken; see plan.txt"
    for file in (home / "results" / "boards" / "tiny").rglob("*.*"):
        text = file.read_bytes().decode(errors="replace")
        assert "someone" not in text
        assert str(home) not in text
        assert "second line" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/x/weights.pt: gone", "weights.pt: gone"),
        ("'/data/users/me/a.png' is gone", "'a.png' is gone"),
        ("ask https://host/v1/models/x", "ask https://host/v1/models/x"),
        ("12 samples/s and train/loss", "12 samples/s and train/loss"),
        ("(most end in /v1)", "(most end in /v1)"),
        (f"{Path.home()}/data/x.csv", "~/data/x.csv"),
        (f"in {Path.cwd()}/results/a b/x.json", "in results/a b/x.json"),
        (f"the folder {Path.cwd()} is full", "the folder . is full"),
        (f"/mnt{Path.cwd()}/x.csv", "x.csv"),
    ],
)
def test_paths_of_a_person_are_shortened(text, shown):
    assert without_private_paths(text) == shown


def test_paths_are_shortened_without_a_home_and_in_a_folder_that_is_gone(tmp_path, monkeypatch):
    def find_no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", find_no_home)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert without_private_paths("/home/me/x/weights.pt: gone") == "weights.pt: gone"


TEXTS = st.text(st.sampled_from([*"ab `\\<>[]()!|:/@.\n\x1b\u202e"]), max_size=30)


@given(TEXTS)
def test_escaped_text_is_shown_as_it_is_even_within_code(text):
    escaped = escaped_markdown(text)
    assert escaped.isprintable()
    assert not re.search("[`<]", re.sub(r"\\.", "", escaped))
    if escaped:
        shown = unescaped_code(f"`{escaped}`")
        plain = re.sub(r"\\(.)", lambda found: found[1], escaped)
        fence = re.match("`+", shown)[0]
        assert fence not in plain
        assert shown in {f"{fence}{plain}{fence}", f"{fence} {plain} {fence}"}


@given(st.text())
def test_json_stays_the_same_document_without_raw_characters(text):
    document = json.dumps({"text": text}, ensure_ascii=False)
    printed = printable_json(document)
    assert json.loads(printed) == {"text": text}
    assert printed.isprintable()
