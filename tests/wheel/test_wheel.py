"""The source distribution and the wheel, and bench installed from it in empty folders."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from installed_wheel import ROOT, build, clean_variables, install

from bench.core.documentation import pages

TINY = """\
[suite.tiny]
protocol = "digits"
seeds = [0]
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]
losses = ["ctc", "radial-ctc"]

[suite.tiny.recipe]
epochs = 1
batch_size = 64
learning_rate = 0.01

[suite.tiny.sweep]
loss = "ctc"
trials = 1
space = { recipe.learning_rate = { uniform = [0.001, 0.1] } }
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("wheel"),
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv builds the wheel"),
]


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def commands(built, tmp_path_factory):
    return install(built[1], tmp_path_factory.mktemp("installed"))


@pytest.fixture
def bench(commands, tmp_path):
    """Return the installed command, run in an empty folder."""
    folder = tmp_path / "empty"
    folder.mkdir()

    def call(*words, code=0):
        done = subprocess.run(
            [commands / "bench", *words],
            cwd=folder,
            env=clean_variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

    call.folder = folder
    return call


def tracked(*folders):
    """Return the files that git has in these folders, relative to the repository."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", *folders], capture_output=True, text=True, check=True
    )
    return {*listed.stdout.splitlines()}


def test_the_wheel_has_the_package_and_its_data_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (licence,) = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    documentation = {page.file.relative_to(ROOT).as_posix() for page in pages()}
    data = {f"bench/{file}" for file in {"bench.toml", *documentation, *tracked("datasets")}}
    package = {file for file in tracked("bench") if (ROOT / file).exists()}
    assert package | data <= names
    others = {name for name in names - package - data if not name.startswith("bench/docs/")}
    assert others == set()
    assert not [name for name in names if name.startswith("bench/docs/") and name.endswith(".py")]
    assert built[1].stat().st_size < 3e6


def test_the_source_distribution_has_what_builds_and_tests_it(built):
    with tarfile.open(built[0]) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "bench.toml", "tests/conftest.py"} <= names
    assert not [name for name in names if name.startswith(("leaderboards", "results", ".github"))]
    assert built[0].stat().st_size < 5e6


def test_the_version_is_that_of_the_wheel_and_the_code_is_its_own(built, commands, bench):
    version = built[1].name.split("-")[1]
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?(\.dev\d+)?(\+[0-9a-z.]+)?", version)
    assert bench("--version").out == f"bench, version {version}\n"
    code = "import bench; print(bench.__file__)"
    done = subprocess.run(
        # Without -P, the working folder comes first on the path.
        [commands / "python", "-P", "-c", code],
        env=clean_variables(),
        capture_output=True,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(commands.parent)


def test_cards_pages_and_suites_are_read_in_an_empty_folder(bench, commands):
    assert "IAM" in bench("data", "show", "iam").out
    assert "decoding" in bench("docs").out
    assert bench("docs", "decoding").out.startswith("# Decoders")
    page = Path(bench("docs", "decoding", "--path").out.strip())
    assert page.is_relative_to(commands.parent)
    assert "quick" in bench("ls").out
    assert "seq-mnist" in bench("ls", "datasets").out
    assert "lenetpp" in bench("run", "quick", "--dry-run").out
    assert "lenetpp" in bench("status", "quick").out
    bench("data", "fetch", "iam", code=3)
    assert [*bench.folder.iterdir()] == []


def test_templates_are_written_in_an_empty_folder(bench):
    bench("init", "boards", "--kind", "try")
    assert "[suite.try]" in (bench.folder / "boards" / "bench.toml").read_text()
    bench("new", "loss", "mine", "--out", "losses")
    assert (bench.folder / "losses" / "test_mine.py").is_file()


def test_synthetic_data_are_rendered_and_prepared_in_this_folder(bench):
    bench("data", "synth", "iam", "--count", "12", "--out", "made")
    bench("data", "prepare", "iam", "--source", "made")
    assert (bench.folder / "data" / "iam-synthetic").is_dir()
    assert sorted(each.name for each in bench.folder.iterdir()) == ["data", "made"]


def test_a_suite_of_bench_runs_in_an_empty_folder(bench):
    words = ["--seeds", "0", "-m", "lenet*", "-l", "ctc", "--executor", "inline", "--no-profile"]
    answer = bench("run", "quick", *words)
    assert "lenetpp" in answer.out
    assert [each.name for each in bench.folder.iterdir()] == ["results"]
    assert "lenetpp" in bench("board", "quick").out
    assert "is not published: 7 evaluations" in bench("board", "quick", "--publish", code=5).err
    bench("board", "quick", "--publish", "--partial")
    assert (bench.folder / "leaderboards" / "quick" / "v1" / "board.json").is_file()


def test_a_suite_of_ones_own_is_run_published_served_and_swept(bench, commands):
    file = bench.folder / "bench.toml"
    file.write_text(TINY)
    bench("run", "tiny", "--executor", "inline", "--no-profile")
    bench("verify")
    # Without latencies, which a busy machine cannot measure.
    bench("board", "tiny", "--publish", "--partial")
    assert (bench.folder / "leaderboards" / "tiny" / "v1" / "board.json").is_file()
    bench("board", "--check")
    bench("board", "--html", "site")
    assert (bench.folder / "site" / "index.html").is_file()
    bench("sweep", "tiny", "--promote")
    assert "[[suite.tiny.tuned]]" in file.read_text()
    with subprocess.Popen(
        [commands / "bench", "view", "--port", "0"],
        cwd=bench.folder,
        env=clean_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            url = next(filter(None, (re.search(r"http://\S+", line) for line in server.stdout)))[0]
            with urllib.request.urlopen(url, timeout=20) as page:  # noqa: S310 (this machine's)
                assert b"tiny" in page.read()
        finally:
            server.terminate()


def test_a_sweep_of_a_suite_of_bench_is_promoted_into_this_folder(bench):
    words = ["--trials", "1", "--promote", "--json"]
    answer = bench("sweep", "quick", *words)
    assert f"--promote will write {bench.folder / 'bench.toml'}" in answer.err
    assert json.loads(answer.out)["best"]
    assert "[[suite.quick.tuned]]" in (bench.folder / "bench.toml").read_text()
    assert "quick" in bench("ls").out
