"""A cluster's fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

# Before any `import ray`: under `uv run`, Ray would else build a new environment for each worker,
# and a trial could start in one that is not finished.
import bench.execution.ray  # noqa: F401

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def faulty():
    """Return the module tests/faulty.py, importable here and in the workers started from now on."""
    spec = importlib.util.spec_from_file_location("faulty", TESTS / "faulty.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        patch.setitem(sys.modules, "faulty", module)
        spec.loader.exec_module(module)
        yield module
