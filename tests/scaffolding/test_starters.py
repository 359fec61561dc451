"""Every starter of `bench init` is valid as it stands, and the commands that it names work."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import cv2
import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.scaffolding.starters import STARTERS, write_starter


@pytest.fixture
def start(tmp_path, monkeypatch, bench):
    """Return a function that writes a starter into the working folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))

    def write(kind):
        answer = bench("init", "--kind", kind)
        assert answer.code == 0, answer.err
        return answer

    return write


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_is_planned_as_it_stands(start, bench, tmp_path, kind):
    start(kind)
    [suite] = tomllib.loads((tmp_path / "bench.toml").read_text())["suite"]
    plan = bench("run", suite, "--dry-run")
    assert plan.code == 0, plan.err
    assert "training" in plan.out
    assert "warning" not in plan.err
    assert bench("ls").code == 0


@pytest.mark.parametrize("kind", STARTERS)
def test_a_starter_names_the_suite_and_the_data_that_it_declares(start, tmp_path, kind):
    out = start(kind).out
    tables = tomllib.loads((tmp_path / "bench.toml").read_text())
    [suite] = tables["suite"]
    assert f"\nbench run {suite} " in out
    for name in tables.get("dataset", {}):
        assert f"\nbench data prepare {name} " in out


def test_files_that_are_there_stay(start, tmp_path, bench):
    (tmp_path / ".gitignore").write_text("mine\n")
    start("readers")
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    before = (tmp_path / "bench.toml").read_bytes()
    answer = bench("init", "--kind", "try")
    assert answer.code == 2
    assert answer.err.startswith("bench: bench.toml is there already")
    assert (tmp_path / "bench.toml").read_bytes() == before


def test_nothing_is_written_where_a_further_file_is_in_the_way(tmp_path):
    (tmp_path / "my_reader.py").write_text("mine\n")
    with pytest.raises(BenchError, match=r"my_reader\.py is there already"):
        write_starter(tmp_path, STARTERS["readers"])
    assert [file.name for file in tmp_path.iterdir()] == ["my_reader.py"]


def test_another_folder_is_made_and_named_among_the_commands(start, tmp_path, bench):
    answer = bench("init", "my project", "--kind", "words")
    assert answer.code == 0
    assert (tmp_path / "my project/bench.toml").exists()
    assert (tmp_path / "my project/.gitignore").read_text() == "/data/\n/results/\n/exports/\n"
    assert "\ncd 'my project'" in answer.out


def test_without_a_terminal_the_kind_is_required(start, bench, tmp_path):
    answer = bench("init")
    assert answer.code == 2
    assert "--kind try | words | lines | clips | losses | readers" in answer.err
    assert not [*tmp_path.iterdir()]


def test_own_words_go_from_init_to_a_plan(start, bench, tmp_path):
    start("words")
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 30), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), pixels)
    rows = (f"{number}.png\tword {number}\n" for number in range(40))
    (folder / "gt.txt").write_text("".join(rows))
    answer = bench("data", "init", "photos", "--name", "my-words")
    assert answer.code == 0, answer.err
    table = tomllib.loads((tmp_path / "bench.toml").read_text())["dataset"]["my-words"]
    assert table["folder"] == "photos"
    # The folder has no splits of its own, so those of the template stay.
    assert table["splits"]["train"] == 0.8
    assert bench("data", "prepare", "my-words").code == 0
    plan = bench("run", "mine", "--dry-run")
    assert plan.code == 0
    assert "6 trainings to run" in plan.out


@pytest.mark.slow
def test_the_starter_to_try_runs(start, tmp_path):
    start("try")
    command = [sys.executable, "-m", "bench", "run", "try", "--executor", "inline"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "cnn-bilstm · radial-ctc" in answer.stdout
