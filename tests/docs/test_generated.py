"""Pages of the reference that are written from code are current."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pages_written_from_code_are_current():
    checked = subprocess.run(
        [sys.executable, "docs/generators", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
