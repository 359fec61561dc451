from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.core.package_data import package_data

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["bench.toml", "datasets", "docs"])
def test_a_checkout_has_the_files_of_a_wheel(name):
    assert package_data(name) == ROOT / name


def test_what_an_installation_lacks_is_reported_with_the_remedy():
    with pytest.raises(BenchError, match="has no manual; install it again"):
        package_data("manual")
