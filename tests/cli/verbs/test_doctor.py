"""`bench doctor`: what is in order, what is not, and what to do about it."""

from __future__ import annotations

import json
import resource

import pytest

from bench.cli.health import machine
from bench.cli.health.libraries import ImportProbe, library_checks
from bench.cli.health.machine import machine_checks
from bench.core.errors import BenchError
from bench.core.short_folder import MAX_BASE

TORCH = """
__version__ = "9.9"
class cuda:
    device_count = staticmethod(lambda: 1)
    get_device_name = staticmethod(lambda number: "a GPU")
    is_available = staticmethod(lambda: True)
class version:
    cuda = "13.2"
"""


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """Return a folder of modules that are imported in place of torch, torchvision and Ray."""
    folder = tmp_path / "libraries"
    (folder / "ray").mkdir(parents=True)
    (folder / "torch.py").write_text(TORCH)
    (folder / "torchvision.py").write_text("__version__ = '0.9'\n")
    (folder / "ray/__init__.py").write_text("__version__ = '2.99'\n")
    (folder / "ray/tune.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def by_name(checks):
    return {check.name: check for check in checks}


def test_a_machine_in_order_can_run(home, libraries, bench):
    answer = bench("doctor", "--json")
    assert answer.code == 0
    checks = {each["name"]: each for each in json.loads(answer.out)}
    assert checks["torch"]["finding"] == "9.9, torchvision 0.9"
    assert checks["gpu"]["finding"] == "CUDA 13.2: a GPU"
    assert checks["ray"]["finding"] == "2.99"
    assert checks["suite tiny"] == {
        "name": "suite tiny",
        "state": "ok",
        "finding": "ready",
        "fix": "",
    }
    assert checks["data seq-digits"]["finding"] == "prepared"
    assert answer.err.endswith("\nbench can run here: bench run tiny\n")


def test_a_library_that_cannot_be_imported_is_a_failure_with_its_fix(home, libraries, bench):
    (libraries / "torch.py").write_text("raise OSError('libcudart.so: cannot open')\n")
    (libraries / "ray/tune.py").write_text("import os; os._exit(7)\n")
    answer = bench("doctor")
    assert answer.code == 1
    lines = {line.split()[1]: line for line in answer.out.splitlines() if line}
    assert lines["torch"].startswith("failed")
    assert "OSError: libcudart.so: cannot open → install it again: pip install" in lines["torch"]
    assert "cannot be imported: exit code 7" in lines["ray"]
    assert answer.out.endswith("bench cannot run here yet: torch, ray\n")


def test_a_bench_toml_that_cannot_be_read_is_a_failure(home, libraries, bench):
    (home / "bench.toml").write_text("suites = 1\n")
    answer = bench("doctor")
    assert answer.code == 1
    assert "there is no key 'suites' here" in answer.out
    assert answer.out.endswith("bench cannot run here yet: bench.toml\n")


def test_data_that_are_not_prepared_are_named_with_their_command(home, libraries, bench):
    text = (home / "bench.toml").read_text()
    old = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
    (home / "bench.toml").write_text(text.replace(old, 'datasets = ["seq-mnist"]'))
    answer = bench("doctor")
    assert answer.code == 0
    assert "needs data: seq-mnist" in answer.out
    assert "not prepared → run: bench data prepare seq-mnist --source DIR\n" in answer.out
    assert answer.out.endswith("no suite is ready yet, see the warnings\n")


def test_an_import_that_ends_the_process_is_reported():
    assert ImportProbe("").document() == "its import ends the process"


def test_an_import_that_does_not_end_is_stopped(monkeypatch):
    monkeypatch.setattr("bench.cli.health.libraries._SECONDS", 0.1)
    assert "has not ended" in ImportProbe("import time; time.sleep(60)").document()


def test_a_driver_that_torch_cannot_use_is_a_warning(libraries, tmp_path, monkeypatch):
    (libraries / "torch.py").write_text(TORCH.replace("lambda: True", "lambda: False"))
    driver = tmp_path / "version"
    monkeypatch.setattr("bench.cli.health.libraries._NVIDIA", driver)
    assert by_name(library_checks())["gpu"].state == "ok"
    driver.write_text("")
    gpu = by_name(library_checks())["gpu"]
    assert gpu.state == "warning"
    assert gpu.fix.startswith("run nvidia-smi")


def test_little_space_is_a_warning(tmp_path, monkeypatch):
    for bound in ("_MIN_FREE", "_MIN_MEMORY", "_MIN_SHARED", "_MIN_FILES"):
        monkeypatch.setattr(machine, bound, 2**80)
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (256, 256))
    checks = by_name(machine_checks(tmp_path / "a/results", tmp_path / "data"))
    assert checks["results"].fix.endswith("--results")
    assert checks["data"].fix.endswith("--data")
    assert "inline" in checks["cores"].fix
    assert checks["open files"].finding == "at most 256"
    assert {checks[name].state for name in ("results", "data", "cores", "open files")} == {
        "warning"
    }
    # Nothing was made by looking.
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_made_is_a_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(machine, "make_short_folder", _no_folder)
    checks = by_name(machine_checks(tmp_path / "results", tmp_path / "data"))
    assert checks["temporary folder"].state == "failed"
    assert checks["temporary folder"].fix.startswith("set RAY_TMPDIR")


def _no_folder():
    raise BenchError(f"no folder for sockets: /a is full; set RAY_TMPDIR to one of {MAX_BASE}")


@pytest.mark.slow
def test_the_libraries_that_are_installed_are_in_order():
    checks = by_name(library_checks())
    assert {checks["torch"].state, checks["ray"].state} == {"ok"}


def test_a_distribution_that_shares_the_package_is_a_warning(home, libraries, bench, monkeypatch):
    about = libraries / "frappe_bench-5.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: frappe-bench\nVersion: 5.0\n")
    (about / "RECORD").write_text("bench/app.py,,\n")
    monkeypatch.syspath_prepend(libraries)
    checks = by_name(library_checks())
    assert checks["bench"].state == "warning"
    assert checks["bench"].fix.endswith("in an environment without frappe-bench")
