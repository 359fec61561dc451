"""Extras that are installed, missing, or broken."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.core.optional import import_extra, installed_folder, installed_version


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
