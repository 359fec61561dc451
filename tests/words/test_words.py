"""No file has a word of the list; `nox -s lint` prints where one is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).with_name("check.py")


def test_no_name_and_no_prose_has_a_word_of_the_list():
    answer = subprocess.run([sys.executable, CHECK], capture_output=True, text=True)
    assert answer.stdout == ""
    assert answer.returncode == 0
