"""Parameters that name files stand for the content of these files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.core.files import (
    InputFile,
    existing_file,
    file_digest,
    file_parameters,
    located_file,
)


@dataclass(frozen=True)
class Search:
    words: InputFile
    size: int = 1
    model: InputFile | None = None


def test_parameters_that_name_files_are_listed():
    assert file_parameters(Search) == ("words", "model")


def test_a_digest_is_that_of_the_content(tmp_path):
    file = tmp_path / "words.txt"
    file.write_bytes(b"one\n")
    digest = sha256(b"one\n").hexdigest()
    assert file_digest(str(file), "words") == digest
    copy = tmp_path / "copy.txt"
    copy.write_bytes(b"one\n")
    assert file_digest(str(copy), "words") == digest


def test_an_edited_file_is_hashed_again(tmp_path):
    file = tmp_path / "words.txt"
    file.write_bytes(b"one\n")
    before = file_digest(str(file), "words")
    file.write_bytes(b"two\n")
    os.utime(file, ns=(1, 1))
    assert file_digest(str(file), "words") == sha256(b"two\n").hexdigest() != before


@pytest.mark.parametrize(("name", "fault"), [("none.txt", "does not exist"), (".", "is a folder")])
def test_a_missing_file_is_an_error_that_names_the_parameter(tmp_path, name, fault):
    for ask in (file_digest, existing_file):
        with pytest.raises(BenchError, match=f"of words of decoder 'x' {fault}; give the path"):
            ask(str(tmp_path / name), "words of decoder 'x'")


def test_a_file_of_an_installed_package_is_found_and_hashed():
    file = existing_file("package:click/click/__init__.py", "words")
    import click

    assert file.samefile(click.__file__)
    digest = file_digest("package:click/click/__init__.py", "words")
    assert digest == sha256(Path(click.__file__).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("package:no-such-package/words.txt", "pip install 'no-such-package'"),
        ("package:click/click/words.txt", "has no file 'click/words.txt'; give the path of one"),
        ("package:click/../../etc/passwd", "has no file '../../etc/passwd'"),
        ("package:click", "write package:DISTRIBUTION/path/inside"),
    ],
)
def test_a_missing_file_of_a_package_says_what_to_install(path, fault):
    with pytest.raises(BenchError, match="of words of decoder 'x'") as raised:
        existing_file(path, "words of decoder 'x'")
    assert fault in str(raised.value)


def test_paths_are_found_from_a_folder_and_files_of_packages_are_not(tmp_path):
    assert located_file("words.txt", tmp_path) == str(tmp_path / "words.txt")
    assert located_file("/words.txt", tmp_path) == "/words.txt"
    assert located_file("package:click/click/x", tmp_path) == "package:click/click/x"
