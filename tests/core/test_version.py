from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import bench
from bench.core.version import DISTRIBUTION, UNKNOWN, conflicting_distributions

ROOT = Path(__file__).parents[2]


def install(folder, name, version, *files):
    """Write what an installer leaves of a distribution that has these files."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_the_version_is_that_of_the_distribution():
    assert bench.__version__ == metadata.version(DISTRIBUTION)


def test_a_source_tree_that_was_not_installed_has_a_version():
    # -S leaves out site-packages, and with them the distribution.
    code = "import bench; print(bench.__version__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == UNKNOWN


def test_a_distribution_that_shares_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert conflicting_distributions() == []
    install(tmp_path, "frappe-bench", "5.0", "bench/__init__.py", "bench/app.py")
    install(tmp_path, "another", "1.0", "another.py")
    assert conflicting_distributions() == ["frappe-bench"]
