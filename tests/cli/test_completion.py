"""Completion in a shell: of verbs, suites, data sets, components and choices."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from bench import cli
from bench.cli.lazy import LazyGroup


@pytest.fixture
def complete():
    """Return a function that completes the last of some words."""
    shell = ShellComplete(cli.app, {}, "bench", "_BENCH_COMPLETE")

    def values(*words):
        return [each.value for each in shell.get_completions([*words[:-1]], words[-1])]

    return values


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sta"], ["status"]),
        (["run", "ti"], ["tiny"]),
        (["status", "--json", "t"], ["tiny"]),
        (["board", "write", "t"], ["tiny"]),
        (["run", "tiny", "-l", "radial"], ["radial-ctc"]),
        (["run", "tiny", "--model", "cnn-"], ["cnn-attention", "cnn-bilstm"]),
        (["sweep", "tiny", "-m", "lenet"], ["lenetpp"]),
        (["data", "prepare", "synth"], ["synth90k", "synthtext"]),
        (["ls", "mo"], ["models"]),
        (["docs", "stat"], ["statistics", "statistics-decisions"]),
        (["data", "fetch", "seq-m"], ["seq-mnist"]),
        (["init", "--kind", "re"], ["readers"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["run", "tiny", "--dry"], ["--dry-run"]),
        (["--config", "nowhere.toml", "run", "q"], []),
    ],
    ids=" ".join,
)
def test_a_word_is_completed(home, complete, words, expected):
    assert complete(*words) == expected


def test_a_component_of_a_plugin_is_completed(home, complete):
    (home / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from bench.losses.ctc import CTC\n"
        "@dataclass(frozen=True)\n"
        "class Mine(CTC):\n"
        "    name: ClassVar[str] = 'mine'\n"
    )
    text = (home / "bench.toml").read_text()
    (home / "bench.toml").write_text(f'plugins = ["mine.py"]\n{text}')
    assert complete("run", "tiny", "-l", "mi") == ["mine"]


def test_verbs_are_completed_without_importing_any(complete, monkeypatch):
    monkeypatch.setattr(LazyGroup, "get_command", None)
    assert complete("") == [*cli.app.verbs]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_command_and_its_variable(bench, shell):
    answer = bench("completion", shell)
    assert answer.code == 0
    assert f"_BENCH_COMPLETE={shell}_complete" in answer.out


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_a_suite(home):
    program = home / "bench"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bench "$@"\n')
    program.chmod(0o755)
    script = (
        'source <("./bench" completion bash)\n'
        "COMP_WORDS=(bench run ti); COMP_CWORD=2\n"
        '_bench_completion ./bench; echo "${COMPREPLY[@]}"\n'
    )
    answer = subprocess.run(["bash", "-c", script], cwd=home, capture_output=True, text=True)
    assert (answer.stdout, answer.stderr) == ("tiny\n", "")
