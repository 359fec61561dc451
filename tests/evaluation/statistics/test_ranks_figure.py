"""The figure in docs/explanation/statistics.md is up to date."""

from __future__ import annotations

import runpy
from pathlib import Path

FIGURE = Path(__file__).parents[3] / "docs" / "figures" / "ranks.py"


def test_the_figure_of_ranks_is_up_to_date():
    drawn = runpy.run_path(str(FIGURE))["figure"]()
    assert drawn == FIGURE.with_suffix(".svg").read_text(encoding="utf-8")
