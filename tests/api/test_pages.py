"""The page on notebooks runs from top to bottom, those blocks too that take a training."""

from __future__ import annotations

import re

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.xdist_group("api")
PAGE = "docs/how-to/notebooks.md"
NEEDS_DATA = "iiit5k"


def test_the_page_on_notebooks_runs(home, monkeypatch):
    text = (ROOT / PAGE).read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    # What is not run yet, seed 1, would take seconds more.
    toml = (home / "bench.toml").read_text().replace("seeds = [0, 1]", "seeds = [0]")
    (home / "one").mkdir(exist_ok=True)
    (home / "one/bench.toml").write_text(toml)
    for name in ("results", "leaderboards"):
        if not (home / "one" / name).exists():
            (home / "one" / name).symlink_to(home / name)
    monkeypatch.chdir(home / "one")
    names = {}
    for block in blocks:
        if NEEDS_DATA not in block:
            exec(compile(block, PAGE, "exec"), names)  # noqa: S102 (a page of this repository)
    assert names["board"].rows
    assert len(blocks) > 6
