"""The Markdown page of a board: tables, figures and links."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.leaderboards import board as boards
from bench.leaderboards.formats.markdown import board_markdown

ROOT = Path(__file__).parents[3]
PAGES = [*(ROOT / "leaderboards").rglob("README.md")]
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_relative_link_of_a_committed_page_leads_to_a_file(page):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert links
    for link in links:
        assert (page.parent / link).exists(), link


@pytest.fixture
def committed():
    """Return a committed board."""
    return boards.read_board(ROOT / "leaderboards/scene-text-ready/v1")


def test_the_first_table_has_only_ranks_scores_and_two_costs(committed):
    first = next(line for line in board_markdown(committed).splitlines() if line.startswith("| "))
    assert first == "| rank | entry | accuracy % | parameters | ms b1 |"


def test_the_other_columns_are_collapsed(committed):
    page = board_markdown(committed)
    assert page.count("<details>") == page.count("</details>") == 2
    assert "| ms b24 |" in page.partition("<details>")[2]


def test_figures_are_images_with_their_titles(committed):
    page = board_markdown(committed, {"figures/x.svg": "<svg><title>a &lt; b</title></svg>"})
    (alt,) = re.findall(r"!\[(.*)\]\(figures/x\.svg\)", page)
    assert alt.replace("\\", "") in {"a < b", "a &lt; b"}


def test_names_of_others_are_not_markup(committed):
    hostile = "<script>x</script>[a](b)|![c](d)"
    rows = [replace(row, label=f"{n}{hostile}") for n, row in enumerate(committed.rows)]
    page = board_markdown(replace(committed, rows=rows))
    assert "script" in page
    assert not re.search(r"(?<!\\)</?script", page)
    assert not re.search(r"\]\((b|d)\)", page)
