"""Regressions between two boards, as text, pages and an exit code."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from bench.leaderboards import board as boards
from bench.leaderboards import gate, working

from .conftest import SECOND


@pytest.fixture
def change(published, config, suite, bench, finish, store):
    """Return a function that replaces predictions of trials and returns the regressions."""

    def apply(trials, wrong):
        finish(trials, wrong)
        folder = working.working_folder(config, suite.name)
        working.write_working_board(config, suite)
        before = published / "tiny" / "v1"
        return gate.find_regressions(
            (boards.read_board(before), before), (boards.read_board(folder), folder)
        )

    return apply


def test_the_same_predictions_are_not_a_regression(change, trials):
    assert change(trials[::2], 4) == []


def test_a_better_row_is_not_a_regression(change, trials):
    assert change(trials[1::2], 2) == []


def test_a_significantly_worse_row_is_a_regression(change, trials):
    (found,) = change(trials[::2], 30)
    assert (found.label, found.kind) == ("cnn-bilstm · ctc", "worse")
    assert found.verdict.p < 0.05
    assert found.verdict.difference == pytest.approx(-26 / 40)
    assert found.verdict.test == "average"


def test_a_difference_that_may_be_chance_is_not_a_regression(change, trials):
    assert change(trials[::2], 5) == []


def test_a_lost_score_is_a_regression(change, trials, store):
    shutil.rmtree(store.folder(trials[0].evaluations[SECOND]))
    (found,) = change(trials[1::2], 20)
    assert (found.label, found.kind, found.verdict) == ("cnn-bilstm · ctc", "lost", None)


def test_a_lost_row_is_a_regression(published, bench, edit_toml):
    edit_toml('losses = ["ctc", "radial-ctc"]', 'losses = ["ctc"]')
    assert bench("board", "tiny").code == 0
    answer = bench("board", "diff", "tiny", "--fail-on", "regress", "--json")
    assert answer.code == 4
    document = json.loads(answer.out)
    assert document["regressions"] == [
        {"label": "cnn-bilstm · radial-ctc", "kind": "lost", "verdict": None}
    ]


def test_regressions_require_the_same_test_sets(published, bench, edit_toml, finish, config):
    from bench.trials import grid

    smaller = edit_toml('    { name = "seq-digits", digits = 3, rounds = 1 },\n')
    finish(grid.trials(smaller.suite("tiny")), 4)
    assert bench("board", "tiny").code == 0
    answer = bench("board", "diff", "tiny", "--fail-on", "regress")
    assert answer.code == 2
    assert "compare boards of one version" in answer.err


class Tags(HTMLParser):
    """A parser that collects the tags of a page and checks that they are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_verb_prints_every_format_and_ends_with_4(published, bench, trials, finish, home):
    finish(trials[::2], 30)
    assert bench("board", "tiny").code == 0
    words = ("board", "diff", "tiny")
    assert bench(*words).code == 0
    gated = (*words, "--fail-on", "regress")
    answer = bench(*gated)
    assert answer.code == 4
    assert re.search(r"cnn-bilstm · ctc +worse +90.00 +25.00 +-65.00 ", answer.out)
    page = bench(*gated, "--format", "md")
    assert page.code == 4
    assert "| cnn-bilstm · ctc | worse | 90.00 | 25.00 | -65.00 |" in page.out
    assert json.loads(bench(*gated, "--format", "json").out) == json.loads(
        bench(*gated, "--json").out
    )
    answer = bench(*gated, "--format", "html", "-o", "diff.html")
    assert (answer.code, answer.out) == (4, "")
    tags = Tags()
    tags.feed((home / "diff.html").read_text())
    assert tags.open == []
    assert "script" not in tags.seen
    assert '<td class="failed">worse</td>' in (home / "diff.html").read_text()


def test_names_of_others_are_text_on_the_pages():
    from bench.core.text_table import Table
    from bench.leaderboards.formats.text_page import html_page, markdown_page

    blocks = ["<b>1</b>", Table(["<i>"], [["<script>alert(1)</script>"]])]
    page = html_page("<u>", blocks)
    assert "&lt;script&gt;" in page
    assert not re.search("<(b|i|u|script)>", page + markdown_page(blocks).replace("\\<", ""))


@pytest.mark.parametrize("document", ["md", "csv", "json", "latex", "html"])
def test_a_board_is_printed_in_each_format_alone(published, bench, home, document):
    answer = bench("board", "tiny/v1", "--format", document)
    assert answer.code == 0
    assert bench("board", "tiny/v1", "--format", document, "-o", "file").out == ""
    assert (home / "file").read_bytes().decode() == answer.out
    kept = {"md": "README.md", "csv": "board.csv", "json": "board.json"}.get(document)
    if kept:
        text = (published / "tiny" / "v1" / kept).read_bytes().decode()
        # The page in the folder links to its figures.
        assert re.sub(r"!\[.*\n\n", "", text) == answer.out


@pytest.mark.parametrize("document", ["md", "csv", "json", "latex"])
def test_a_format_without_comparisons_reads_no_samples(published, bench, document):
    for file in (published / "tiny" / "v1").glob("samples-*"):
        file.write_bytes(b"damaged")
    assert bench("board", "tiny/v1", "--format", document).code == 0


@pytest.mark.parametrize(
    "words", [["--format", "csv", "--json"], ["--format", "md", "--check"], ["-o", "x"]], ids=str
)
def test_formats_exclude_other_options(home, bench, words):
    assert bench("board", "tiny", *words).code == 2
