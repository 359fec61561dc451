"""Files that are whole whenever their writer is killed."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.core import documents
from bench.core.documents import write_bytes
from bench.core.errors import BenchError, Exit

SIZE = 3_000_000
WRITER = f"""
import sys
from itertools import cycle
from pathlib import Path
from bench.core.documents import write_bytes
for letter in cycle(range(256)):
    write_bytes(Path(sys.argv[1]), bytes([letter]) * {SIZE})
"""


@contextmanager
def writing(file: Path):
    """Rewrite `file` for ever in another process, until that is killed."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, file])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def whole(file: Path) -> bool:
    content = file.read_bytes()
    return content == content[:1] * SIZE


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    file = tmp_path / "predictions.parquet"
    for delay in (0.002, 0.031, 0.007, 0.055, 0.013, 0.043):
        file.unlink(missing_ok=True)
        with writing(file) as process:
            deadline = time.monotonic() + 20
            while not file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
            ends = time.monotonic() + delay
            looks = 0
            while time.monotonic() < ends or not looks:
                assert whole(file)
                looks += 1
        assert whole(file)
        others = {path.name for path in tmp_path.iterdir()} - {file.name}
        assert all(
            re.fullmatch(r"\.predictions\.parquet\.[0-9a-f]{32}\.part", name) for name in others
        )


def test_writing_leaves_nothing_beside_and_tells_the_sum(tmp_path):
    file = tmp_path / "file"
    for content in (b"first, and longer", b"second", b""):
        assert write_bytes(file, content) == hashlib.sha256(content).hexdigest()
        assert file.read_bytes() == content
        assert list(tmp_path.iterdir()) == [file]


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    file = tmp_path / "file"
    write_bytes(file, b"old")
    with file.open("rb") as stream:
        write_bytes(file, b"new")
        assert stream.read() == b"old"
    assert file.read_bytes() == b"new"


def test_a_failed_write_keeps_what_was_there(tmp_path):
    file = tmp_path / "file"
    write_bytes(file, b"old")
    with pytest.raises(TypeError):
        write_bytes(file, "no bytes")
    assert file.read_bytes() == b"old"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff",
        b'{"schema": 1, "a": "\xff"}',
        b'{"schema": "\xff"}',
        b"[" * 90_000,
    ],
)
def test_what_is_no_document_is_said_in_a_sentence(tmp_path, content):
    file = tmp_path / "thing.json"
    file.write_bytes(content)
    with pytest.raises(BenchError, match="this is not a thing of bench") as caught:
        documents.read(file, dict, 1, noun="thing", remedy="throw it away")
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).endswith("; throw it away")


@pytest.mark.parametrize(
    ("noun", "phrase"), [("evaluation", "an evaluation"), ("training", "a training")]
)
def test_the_sentence_about_a_broken_document_has_the_right_article(tmp_path, noun, phrase):
    file = tmp_path / "thing.json"
    file.write_bytes(b"{")
    with pytest.raises(BenchError, match=f"this is not {phrase} of bench"):
        documents.read(file, dict, 1, noun=noun, remedy="throw it away")
