"""The root of a raw data set near a named folder; no file outside it is read."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import SampleError


def holds(folder):
    return (folder / "wanted.txt").is_file()


@pytest.mark.parametrize(
    "named", ["", "one", "one/two", "one/two/parts", "one/two/parts/7", "one/two/parts/7/8"]
)
def test_a_root_is_found_from_above_and_from_below(write, named):
    root = write({"one/two/wanted.txt": "", "one/two/parts/7/8/x": ""})
    assert tree.find_root(root / named, holds) == root / "one" / "two"


def test_a_root_is_found_by_its_name_among_others(write):
    root = write({"README": "", "mnt/max/wanted.txt": ""})
    assert tree.find_root(root, holds) is None
    assert tree.find_root(root, holds, ["mnt/max"]) == root / "mnt" / "max"


def test_circular_links_are_skipped(write):
    root = write({"readme": "", "one/wanted.txt": ""})
    (root / "circle").symlink_to("circle//.")
    assert tree.find_root(root, holds, ["circle", "circle/one", "one"]) == root / "one"


def test_a_source_that_is_not_a_folder_is_an_error(write):
    root = write({"file": "x"})
    with pytest.raises(BenchError, match="file is not a folder; name the folder of"):
        tree.find_root(root / "file", holds)


def test_a_file_is_read_only_through_links_within_the_folder(write):
    root = write({"in/7/word.jpg": b"pixels", "secret": b"key"}) / "in"
    (root / "near").symlink_to("7")
    (root / "7" / "out.jpg").symlink_to(root.parent / "secret")
    assert tree.read_file(root, "near/word.jpg") == b"pixels"
    for name in ("7/out.jpg", "../secret", str(root.parent / "secret")):
        with pytest.raises(SampleError, match="a file outside the data set's folder"):
            tree.read_file(root, name)


def test_an_unreadable_file_is_an_error_with_the_reason(write):
    root = write({"empty.png": b"", "folder/x": "x"})
    (root / "circle").symlink_to("circle")
    os.mkfifo(root / "pipe")
    faults = {
        "empty.png": "an empty file",
        "absent.png": "a file that is missing",
        "folder": "not a regular file",
        "pipe": "not a regular file",
        "circle": "a file that cannot be read",
        "nul\0": "a file that cannot be read",
        "empty.png/below": "a file that cannot be read",
    }
    for name, fault in faults.items():
        with pytest.raises(SampleError, match=fault):
            tree.read_file(root, name)


def test_lines_end_with_a_line_feed_alone(write):
    root = write({"words": "\ufeffone\r\n\ntwo\x85 \u2028three \n".encode() + b"f\xff\n"})
    found = list(tree.read_lines(root / "words"))
    assert found == ["one", "", "two\x85 \u2028three", "f\udcff"]
    assert [tree.is_text(line) for line in found] == [True, True, True, False]


def test_a_list_that_cannot_be_read_is_an_error(write):
    with pytest.raises(BenchError, match="cannot be read"):
        list(tree.read_lines(write({"folder/x": ""}) / "folder"))


@given(st.lists(st.sampled_from(["", ".", "..", "a", "b.png", "\\"]), max_size=6).map("/".join))
def test_a_name_is_inside_if_no_part_leads_out(name):
    if tree.is_inside(name):
        assert os.path.normpath(PurePosixPath("/root", name)).startswith("/root/")
    else:
        assert name.startswith("/") or ".." in name or "\\" in name or not name.strip("./")


def test_a_list_that_is_not_a_regular_file_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "pages").write_bytes(b"a 1\n" + bytes(2**21))
    for name, why in (
        ("pipe", "a named pipe"),
        ("endless", "a device"),
        ("pages", "a line of more"),
    ):
        with pytest.raises(BenchError, match=f"{name}.*{why}"):
            list(tree.read_lines(tmp_path / name))


def test_metadata_of_macos_is_ignored_in_the_search_of_a_root(write):
    root = write({"__MACOSX/data/._wanted.txt": "", ".DS_Store": "", "data/wanted.txt": ""})
    assert tree.find_root(root, holds) == root / "data"
