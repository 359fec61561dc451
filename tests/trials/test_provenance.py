"""Where a record comes from: the commit of bench's own checkout, if it has one."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

import bench
from bench.trials import provenance
from bench.trials.provenance import Device

PACKAGE = Path(bench.__file__).parent
GPU = Device("cuda", gpu="Some GPU", driver="580.65", cuda="13.0", cudnn="9.26.0")
ASK = (
    "import json, bench; from bench.trials import provenance\n"
    "print(json.dumps([bench.__file__, *provenance.revision()]))"
)


@pytest.fixture
def clean(monkeypatch):
    """Hide the settings of git that this process was started with."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def copy(tmp_path, clean) -> Path:
    """Return a folder with a copy of the package, in no checkout."""
    root = tmp_path / "copy"
    shutil.copytree(PACKAGE, root / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def revision(root: Path) -> tuple[str | None, bool]:
    """Ask the copy of bench in `root` for its revision, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-B", "-c", ASK],
        cwd=root.parent,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    file, commit, dirty = json.loads(answer.stdout)
    assert Path(file) == root / "bench" / "__init__.py"
    return commit, dirty


def git(root: Path, *words: str) -> str:
    who = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    answer = subprocess.run(
        ["git", "-C", root, *who, *words], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def commit(root: Path, *paths: str) -> str:
    git(root, "init", "--quiet")
    git(root, "add", *paths)
    git(root, "commit", "--quiet", "--message", "All of it")
    return git(root, "rev-parse", "HEAD")


@pytest.mark.skipif(not (PACKAGE.parent / ".git").exists(), reason="this is no checkout of bench")
def test_this_checkout_gives_its_commit():
    found = provenance.collect((), device=Device("cpu"), threads=1, seed=0)
    assert re.fullmatch("[0-9a-f]{40}", found.commit)
    assert (found.commit, found.dirty) == provenance.revision()
    assert isinstance(found.dirty, bool)


def test_what_is_given_is_kept_and_the_rest_is_measured():
    found = provenance.collect((), device=GPU, threads=3, seed=7, gpus=0.5, precision="bf16")
    assert (found.device, found.gpu, found.threads, found.seed) == ("cuda", "Some GPU", 3, 7)
    assert (found.driver, found.cuda, found.cudnn) == ("580.65", "13.0", "9.26.0")
    assert (found.gpus, found.precision) == (0.5, "bf16")
    assert found.bench == bench.__version__
    assert found.python == platform.python_version()
    assert found.platform == platform.platform()
    assert found.cpu == provenance.cpu_model()
    assert found.cpu.strip() == found.cpu != ""
    assert found.cores == os.cpu_count()
    finished = datetime.fromisoformat(found.finished)
    assert timedelta(0) <= datetime.now(UTC) - finished < timedelta(minutes=1)


@pytest.mark.parametrize(("gpus", "shared"), [(0.0, True), (0.5, True), (1.0, False)])
def test_a_gpu_is_shared_where_less_than_a_whole_one_is_reserved(gpus, shared):
    found = provenance.collect((), device=GPU, threads=1, seed=0, gpus=gpus)
    assert found.shared_gpu == shared


def test_a_task_on_a_cpu_shares_no_gpu_whatever_is_reserved():
    found = provenance.collect((), device=Device("cpu"), threads=1, seed=0, gpus=0.5)
    assert (found.gpus, found.shared_gpu) == (None, False)
    assert (found.driver, found.cuda, found.cudnn, found.precision) == (None,) * 4


def test_the_versions_of_the_packages_that_compute_are_recorded():
    found = provenance.collect((), device=Device("cpu"), threads=1, seed=0).packages
    assert set(found) <= set(provenance.PACKAGES)
    assert {"torch", "numpy", "pyarrow"} <= set(found)
    for name, version in found.items():
        assert version == metadata.version(name)


def test_a_copy_outside_of_a_checkout_has_no_commit(copy):
    assert revision(copy) == (None, False)


def test_a_checkout_that_holds_something_else_is_not_benchs(copy):
    (copy / "other").write_text("x")
    commit(copy, "other")
    assert revision(copy) == (None, False)


def test_a_checkout_without_a_commit_has_none(copy):
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    assert revision(copy) == (None, False)


def test_without_git_there_is_no_commit(copy, monkeypatch):
    commit(copy, ".")
    monkeypatch.setenv("PATH", str(copy))
    assert revision(copy) == (None, False)


def test_a_checkout_as_committed_is_not_dirty(copy, tmp_path):
    head = commit(copy, ".")
    assert revision(copy) == (head, False)
    (copy / "README.md").write_text("outside of the package")
    (tmp_path / "beside").write_text("x")
    assert revision(copy) == (head, False)


@pytest.mark.parametrize("file", ["trials/grid.py", "models/new.py"])
def test_a_changed_file_of_the_package_makes_it_dirty(copy, file):
    head = commit(copy, ".")
    with (copy / "bench" / file).open("a") as stream:
        stream.write("# changed\n")
    assert revision(copy) == (head, True)
    git(copy, "add", ".")
    assert revision(copy) == (head, True)


def test_a_removed_file_of_the_package_makes_it_dirty(copy):
    head = commit(copy, ".")
    (copy / "bench" / "models" / "lenetpp.py").unlink()
    assert revision(copy) == (head, True)


def test_a_clone_has_the_commit_of_its_origin(copy, tmp_path):
    head = commit(copy, ".")
    git(tmp_path, "clone", "--quiet", str(copy), "clone")
    assert revision(tmp_path / "clone") == (head, False)


def digests(*files: str) -> dict[str, str]:
    today = provenance.source_digests()
    return {file: today[file] for file in files}


def test_the_sources_are_those_of_the_computing_packages_and_of_the_components(trials):
    training, evaluation = trials[0].tasks
    for task, own, others in (
        (
            training,
            ["models/cnn_bilstm.py", "losses/ctc.py", "data/datasets/seq_digits.py"],
            ["models/crnn.py", "losses/radial_ctc.py", "data/datasets/iam.py", "data/raw/iam.py"],
        ),
        (evaluation, ["decoding/greedy.py", "data/datasets/seq_digits.py"], ["models/crnn.py"]),
    ):
        origin = provenance.collect(task.components, device=Device("cpu"), threads=1, seed=0)
        assert (
            origin.sources.items() >= digests(*own, "training/trainer.py", "nn/lattice.py").items()
        )
        assert origin.sources.keys().isdisjoint(
            [*others, "cli/__init__.py", "leaderboards/board.py", "trials/grid.py"]
        )
        assert provenance.changed_sources(origin.sources) == []


def test_changed_sources_are_those_that_differ_or_are_gone():
    sources = digests("losses/ctc.py", "nn/lattice.py")
    changed = sources | {"losses/ctc.py": "0" * 12, "nn/gone.py": "1" * 12}
    assert provenance.changed_sources(changed) == ["losses/ctc.py", "nn/gone.py"]


MINE = "from bench.losses.ctc import CTC\nclass Mine(CTC):\n    name = 'mine'\n"
ASK_ORIGIN = (
    "import json, dataclasses, sys; sys.path.insert(0, '.'); from mine import Mine\n"
    "from bench.trials import provenance\n"
    "made = provenance.collect([Mine()], device=provenance.Device('cpu'), threads=1, seed=0)\n"
    "print(json.dumps([dataclasses.asdict(made.components['mine']), made.revision]))"
)


def origin_of_mine(folder: Path) -> tuple[dict, str]:
    """Ask where the loss `Mine` of `folder` comes from, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-B", "-c", ASK_ORIGIN],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def test_a_component_from_outside_has_its_own_origin(tmp_path, clean):
    (tmp_path / "mine.py").write_text(MINE)
    nowhere = {"file": "mine.py", "distribution": None, "version": None, "commit": None}
    assert origin_of_mine(tmp_path) == [nowhere, "mine unknown"]
    head = commit(tmp_path, "mine.py")
    short = git(tmp_path, "rev-parse", "--short=9", "HEAD")
    assert head.startswith(short)
    assert origin_of_mine(tmp_path) == [nowhere | {"commit": short}, f"mine {short}"]
    (tmp_path / "mine.py").write_text(f"{MINE}# changed\n")
    assert origin_of_mine(tmp_path)[0]["commit"] == f"{short}+"


def test_a_component_of_an_installed_package_has_its_version(tmp_path, clean):
    (tmp_path / "mine.py").write_text(MINE)
    info = tmp_path / "mine_losses-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-losses\nVersion: 1.2\n")
    (info / "top_level.txt").write_text("mine\n")
    origin, revision = origin_of_mine(tmp_path)
    assert (origin["distribution"], origin["version"]) == ("mine-losses", "1.2")
    assert revision == "mine 1.2"
