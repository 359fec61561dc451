from __future__ import annotations

import re
from pathlib import Path

from bench.core import registry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_ci_runs_the_test_command_of_the_readme():
    command = re.search(r"^pip install uv && uv run pytest", README, re.MULTILINE)[0]
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def test_no_file_names_a_package_registry():
    for file in ("pyproject.toml", "README.md", "noxfile.py", ".ci/run", ".pre-commit-config.yaml"):
        assert "pypi" not in (ROOT / file).read_text().lower(), file


def test_every_dataset_has_its_card():
    for name in registry.builtin("dataset"):
        assert (ROOT / "datasets" / name / "card.toml").is_file()
