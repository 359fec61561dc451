"""Extras that are installed, missing, or broken."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from bench.core.errors import BenchError
from bench.core.optional import Extra, import_extra, installed_folder, installed_version

ROOT = Path(__file__).parents[2]


def test_extras_are_those_of_the_distribution():
    """mypy compares the extra in each message with the type `Extra`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert get_args(Extra) == tuple(project["optional-dependencies"])


def test_every_extra_in_pages_and_docstrings_exists():
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").rglob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    names = {*re.findall(r"recognition-bench\[([a-z]+)\]", text)}
    assert names == {*get_args(Extra)}


def test_what_is_installed_is_found():
    import click

    assert import_extra("click.core", "cli", "x") is click.core
    assert installed_version("click", "cli", "x") == __import__("importlib").metadata.version(
        "click"
    )
    assert (installed_folder("click", "cli", "x") / "core.py").is_file()


def test_what_is_missing_is_named_with_its_extra():
    for ask in (import_extra, installed_version, installed_folder):
        with pytest.raises(
            BenchError, match=r"^x requires no_such, which .* 'recognition-bench\[some\]'$"
        ):
            ask("no_such", "some", "x")


def test_what_is_missing_below_is_named(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import no_such.module\n")
    (tmp_path / "broken_package.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BenchError, match="x requires no_such, which is not installed"):
        import_extra("half_installed", "some", "x")
    with pytest.raises(BenchError, match=r"cannot be imported \(ZeroDivisionError: division by"):
        import_extra("broken_package", "some", "x")
