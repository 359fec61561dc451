from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bench.core.documentation import SECTIONS
from bench.core.errors import BenchError
from bench.core.package_data import package_data

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["bench.toml", "datasets", "docs"])
def test_a_checkout_has_the_files_of_a_wheel(name):
    assert package_data(name) == ROOT / name


def test_what_an_installation_lacks_is_reported_with_the_remedy():
    with pytest.raises(BenchError, match="has no manual; install it again"):
        package_data("manual")


def test_a_wheel_gets_the_files_that_a_checkout_has():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    included = build["build"]["targets"]["wheel"]["force-include"]
    sections = [f"docs/{name}" for name in SECTIONS if (ROOT / "docs" / name).is_dir()]
    assert included == {name: f"bench/{name}" for name in ["bench.toml", "datasets", *sections]}
