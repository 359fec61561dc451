from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import bench as library
from bench.cli.render.page_text import page_text
from bench.core.documentation import SECTIONS, find_page, pages
from bench.core.text_width import text_width

ROOT = Path(__file__).parents[3]
PAGES = {page.name: page for page in pages()}
# A line of a docstring may end between the words.
MENTION = re.compile(r"\bbench docs\s+(?:#\s+)?([a-z][a-z0-9-]*)")


def mentions():
    """Yield each page that code, settings and pages name as `bench docs NAME`, and where."""
    files = [ROOT / name for name in ("README.md", "CHANGELOG.md", "bench.toml")]
    for folder in ("bench", "docs", "datasets"):
        files += [*(ROOT / folder).rglob("*")]
    for file in files:
        if file.suffix in {".py", ".toml", ".md", ".txt", ".js"}:
            for match in MENTION.finditer(file.read_text(encoding="utf-8")):
                yield match[1], file.relative_to(ROOT)


def test_no_two_pages_have_one_name():
    assert [name for name, count in Counter(p.name for p in pages()).items() if count > 1] == []


def test_every_page_of_a_section_is_listed():
    files = {file for section in SECTIONS for file in (ROOT / "docs" / section).rglob("*.md")}
    assert {page.file for page in PAGES.values()} == files


def test_every_page_that_is_named_exists():
    found = [*mentions()]
    assert len(found) > 20
    assert [each for each in found if each[0] not in PAGES] == []


def test_pages_are_listed_by_section_with_their_first_sentence(bench):
    lines = bench("docs").out.splitlines()
    assert [line for line in lines if line in SECTIONS.values()] == [
        title for name, title in SECTIONS.items() if any(p.section == name for p in PAGES.values())
    ]
    decoding = next(line for line in lines if line.startswith("decoding "))
    assert decoding.endswith("  A decoder turns a classifier's logits into labels.")
    for name in PAGES:
        assert any(line.split() and line.split()[0] == name for line in lines)


@pytest.mark.parametrize(
    ("markdown", "sentence"),
    [
        ("# A\n\n```sh\nls\n```\n\nIt is `a.b`, [c](d.md). More.", "It is a.b, c."),
        ("# A\n\n| a |\n| --- |\n| b |\n\nIs **it**\nso? Yes.", "Is it so?"),
        ("<!-- hidden. -->\n# A\n\nVersion 1.2 is `here`", "Version 1.2 is here"),
        ("# A", ""),
    ],
)
def test_the_first_sentence_is_prose_without_markup(tmp_path, markdown, sentence):
    file = tmp_path / "page.md"
    file.write_text(markdown)
    assert type(PAGES["decoding"])("page", "how-to", file).first_sentence() == sentence


def test_the_page_of_the_library_has_every_name_with_its_docstring(bench):
    page = bench("docs", "api").out
    assert ":::" not in page
    for name in library.__all__:
        assert f"\nbench.{name}" in page
        assert f"    {getattr(library, name).__doc__.splitlines()[0]}\n" in page
    assert "\nbench.load_board(board='quick', *, config=None, results=None)\n" in page
    assert "\nBoard.to_arrow()\n" in page


@pytest.mark.parametrize("name", ["decoding", "decoding.md", "docs/reference/decoding.md"])
def test_a_page_in_a_pipe_is_its_markdown(bench, name):
    assert bench("docs", name).out == PAGES["decoding"].text()
    assert bench("docs", name, "--path").out.strip() == str(PAGES["decoding"].file)


def test_the_path_of_all_pages_is_their_folder(bench):
    assert bench("docs", "--path").out.strip() == str(ROOT / "docs")


def test_a_typo_is_answered_with_the_nearest_page(bench):
    answer = bench("docs", "statistcs")
    assert answer.code == 2
    assert "there is no page 'statistcs' (did you mean 'statistics'?); `bench docs`" in answer.err
    assert "did you mean" not in bench("docs", "zzzzzz").err
    assert bench("docs", "--raw").code == 2


@pytest.mark.parametrize("name", ["decoding", "synthetic"])
def test_a_page_without_color_has_no_markup_and_fits_the_terminal(name):
    text = page_text(PAGES[name].text(), 60, color=False)
    assert "\x1b" not in text
    assert "](" not in text
    assert not re.search(r"^#+ ", text, re.MULTILINE)
    assert max(map(text_width, text.splitlines())) <= 60


def test_a_link_names_the_command_that_prints_its_page():
    text = page_text(
        "See [metrics](../reference/metrics.md#words), [x](https://x.org/a.md).", 80, color=False
    )
    assert "metrics (bench docs metrics)" in text
    assert "x (https://x.org/a.md)" in text


def test_a_terminal_gets_a_formatted_page_by_its_pager():
    main, other = pty.openpty()
    try:
        done = subprocess.Popen(
            [sys.executable, "-m", "bench", "docs", "decoding"],
            stdout=other,
            env={**os.environ, "PAGER": "cat", "COLUMNS": "70", "TERM": "xterm", "NO_COLOR": ""},
        )
        os.close(other)
        shown = b""
        while chunk := _read(main):
            shown += chunk
        assert done.wait(20) == 0
    finally:
        os.close(main)
    assert b"\x1b[1" in shown
    assert b"# " not in shown.splitlines()[0]
    assert find_page("decoding").first_sentence().encode() in shown


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        # The last process that writes to it has ended.
        return b""
