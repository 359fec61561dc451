"""Pages and figures that are written from code are current."""

import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pages_written_from_code_are_current():
    checked = subprocess.run(
        [sys.executable, "docs/generators", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_figure_of_packages_has_the_layers_of_import_linter():
    script = runpy.run_path(str(ROOT / "docs/figures/packages.py"))
    assert script["FILE"].read_text(encoding="utf-8") == script["figure"](), (
        "run `python docs/figures/packages.py`"
    )
