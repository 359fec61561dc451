"""Reading of regular files: whatever else stands in their place is refused at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bench.core.regular_files import open_regular, read_regular
from bench.core.text_encodings import decode, open_text


def test_a_regular_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"content")
    link.symlink_to(file)
    assert read_regular(file) == read_regular(link) == b"content"
    assert read_regular(file, 7) == b"content"


def _fifo(place: Path) -> None:
    os.mkfifo(place)


def _device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _socket(place: Path) -> None:
    # The path of a socket may have some hundred bytes.
    with socket.socket(socket.AF_UNIX) as end:
        folder = os.open(place.parent, os.O_RDONLY)
        end.bind(f"/proc/self/fd/{folder}/{place.name}")
        os.close(folder)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_fifo, "a named pipe, not a regular file"),
        (_device, "a device, not a regular file"),
        (Path.mkdir, "Is a directory"),
        (_socket, "No such device or address"),
        (lambda place: place.symlink_to(place), "Too many levels of symbolic links"),
    ],
    ids=["fifo", "device", "folder", "socket", "endless link"],
)
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, make, reason: str) -> None:
    place = tmp_path / "place"
    make(place)
    with pytest.raises(OSError, match=reason) as caught:
        open_regular(place)
    assert caught.value.filename == str(place)


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    with pytest.raises(OSError, match="longer than 4 bytes"):
        read_regular(file, 4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_told_by_their_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    text = "né\r\n二\n"
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    content = (mark + text).encode(encoding)
    assert decode(content) == text
    file = tmp_path / "file"
    file.write_bytes(content)
    with open_text(file) as stream:
        assert stream.read() == text
