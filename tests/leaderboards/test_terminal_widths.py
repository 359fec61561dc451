"""Outputs on terminals of 80 and 160 columns: no line is too long, no word is broken."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from itertools import pairwise

import pytest

from bench.core.text_width import text_width

PROGRAM = """
import os, sys
from bench import cli
for words, environment in {calls!r}:
    os.environ.update(environment)
    print(chr(0), end="", flush=True)
    sys.argv = ["bench", *words]
    try: cli.main()
    except SystemExit as ended: sys.stdout.flush()
    for name in environment: del os.environ[name]
"""
COLORS = re.compile(r"\x1b\[[0-9;]*m")
LEFT_OUT = re.compile(r"\(left out for width: .*?; --wide\s+shows\s+all\)", re.DOTALL)


def on_terminal(columns: int, calls) -> list[str]:
    """Return the output of each call of bench on a terminal of `width` columns."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "NO_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(calls=calls)],
        stdout=other,
        stderr=subprocess.DEVNULL,
        env=environment | {"TERM": "xterm"},
    ) as process:
        os.close(other)
        printed = b""
        try:
            while part := os.read(main, 65536):
                printed += part
        except OSError:  # The other end is closed.
            pass
        process.wait()
    os.close(main)
    return printed.decode().replace("\r\n", "\n").split("\0")[1:]


@pytest.fixture
def verbs(published, trials, bench, home):
    """Return calls whose output has tables, in a folder with finished results."""
    assert bench("board", "tiny").code == 0
    trial = trials[0]
    (first, _), training = trial.evaluations.values(), trial.trainings[0]
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    return [
        ["run", "tiny", "--dry-run"],
        ["board", "tiny"],
        ["status", "tiny"],
        ["status", "tiny", "--why"],
        ["show", first.key],
        ["show", training.key],
        ["compare", "tiny/v1#1", "tiny/v1#2"],
        ["board", "diff", "tiny"],
        ["ls"],
        ["ls", "datasets"],
        ["data", "show", "iam"],
    ]


@pytest.mark.parametrize("columns", [80, pytest.param(160, marks=pytest.mark.slow)])
def test_lines_fit_the_terminal_without_broken_words(verbs, columns):
    wide = on_terminal(1000, [(words, {}) for words in verbs])
    narrow = on_terminal(columns, [(words, {}) for words in verbs])
    for words, printed, whole in zip(verbs, narrow, wide, strict=True):
        assert "Traceback" not in printed
        text = COLORS.sub("", printed)
        assert len(text.splitlines()) > 1, words
        for line in text.splitlines():
            assert text_width(line) <= columns or len(line.split()) == 1, (words, line)
        known = {*COLORS.sub("", whole).split()}
        assert {*LEFT_OUT.sub("", text).split()} <= known, words


@pytest.mark.slow
@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_without_color_has_the_same_text(verbs, plain):
    calls = [["status", "tiny"], ["board", "tiny"], ["compare", "tiny/v1#1", "tiny/v1#2"]]
    printed = on_terminal(80, [(words, env) for words in calls for env in ({}, plain)])
    for colored, without in [*pairwise(printed)][::2]:
        assert "\x1b[" in colored
        assert "\x1b" not in without
        assert COLORS.sub("", colored) == without


@pytest.mark.slow
def test_a_pipe_has_the_same_text_as_a_terminal_of_the_same_width(verbs, bench, monkeypatch):
    (printed,) = on_terminal(80, [(["board", "tiny"], {"NO_COLOR": "1"})])
    monkeypatch.setenv("COLUMNS", "80")
    assert bench("board", "tiny").out == printed
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    assert COLORS.sub("", bench("board", "tiny").out) == printed
    monkeypatch.setenv("NO_COLOR", "1")
    assert bench("board", "tiny").out == printed


def test_a_pipe_has_one_line_per_row(verbs, bench):
    lines = bench("status", "tiny").out.split("\n\n")[0].splitlines()
    assert len(lines) == 1 + 2 * 3 * 3
    assert "left out for width" not in bench("board", "tiny").out
