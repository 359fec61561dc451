"""The names of the library: light to import, documented, and their examples run."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

import pytest

import bench

from .conftest import ROOT

pytestmark = pytest.mark.xdist_group("api")
FUNCTIONS = [name for name in bench.__all__ if inspect.isfunction(getattr(bench, name))]


def test_import_and_loading_a_suite_import_neither_torch_nor_ray():
    code = """
import sys
import bench
assert not {"click", "msgspec", "numpy", "pyarrow", "pandas"} & {*sys.modules}
bench.load_suite("quick"), bench.run, bench.evaluate, bench.compare, bench.figures
loaded = {"torch", "ray", "pandas", "matplotlib"} & {*sys.modules}
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_all_names_are_there_and_no_other():
    assert {*bench.__all__} <= {*dir(bench)}
    assert bench.__all__ == sorted(bench.__all__)
    for name in bench.__all__:
        assert getattr(bench, name).__doc__, name
    with pytest.raises(AttributeError, match="module 'bench' has no attribute 'loss'"):
        _ = bench.loss


def test_every_name_is_on_the_page_of_the_library():
    page = (ROOT / "docs/reference/api.md").read_text()
    directives = [line.removeprefix("::: bench.") for line in page.splitlines() if ":::" in line]
    assert sorted(directives) == bench.__all__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_runs(name, home, monkeypatch):
    monkeypatch.chdir(home)
    function = getattr(bench, name)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    test = parser.get_doctest(inspect.getdoc(function), {"bench": bench}, name, None, 0)
    assert test.examples
    assert runner.run(test).failed == 0
    (home / "ranks.svg").unlink(missing_ok=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_documented(name):
    function = getattr(bench, name)
    for argument in inspect.signature(function).parameters:
        assert f"\n    {argument}: " in inspect.getdoc(function), argument


@pytest.mark.slow
def test_a_program_of_a_user_has_no_fault_of_types():
    program = str(ROOT / "tests/api/program_of_a_user.py")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
