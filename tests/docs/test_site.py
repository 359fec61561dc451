"""The documentation site: paths in it, and faults of a page that are named."""

import os
import runpy
import subprocess
import sys

import pytest

from .snippets import ROOT

faults = runpy.run_path(str(ROOT / "docs/site/check_links.py"))["faults"]


@pytest.fixture
def site(tmp_path):
    """Return a site of two pages with working links."""
    (tmp_path / "index.html").write_text('<a href="more/page.html#part">more</a> <img src="a.png">')
    (tmp_path / "more").mkdir()
    (tmp_path / "more/page.html").write_text('<h2 id="part">Part</h2> <a href="../">home</a>')
    (tmp_path / "a.png").write_bytes(b"")
    return tmp_path


def test_site_with_working_links_has_no_faults(site):
    assert faults(site) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="gone.html">x</a>', "index.html: no file for gone.html"),
        ('<a href="more/page.html#gone">x</a>', "index.html: no anchor for more/page.html#gone"),
        ('<img src="gone.png">', "index.html: no file for gone.png"),
        ('<script src="//cdn.example.org/x.js"></script>', "loads //cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="https://fonts.example.org/f">', "loads https://fonts"),
        ('<pre class="mermaid">a</pre>', "loads https://unpkg.com"),
    ],
)
def test_broken_links_and_files_of_other_hosts_are_named(site, html, fault):
    (site / "index.html").write_text(html)
    [sentence] = faults(site)
    assert fault in sentence


def test_links_to_other_sites_are_allowed(site):
    (site / "index.html").write_text('<a href="https://example.org/x">x</a>')
    assert faults(site) == []


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("docs/how-to/boards.md", "how-to/boards.md"),
        ("leaderboards/quick/v1/board.html", "boards/quick/v1/board.html"),
        ("CHANGELOG.md", "repository/CHANGELOG.md"),
    ],
)
def test_files_of_the_repository_have_a_path_in_the_site(repository, site):
    pytest.importorskip("mkdocs")
    hook = runpy.run_path(str(ROOT / "docs/site/repository_files.py"))
    assert hook["site_path"](repository) == site
    assert hook["repository_path"](site) == repository


@pytest.mark.slow
def test_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(
        build,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert faults(tmp_path.resolve()) == []
