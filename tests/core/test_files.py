"""Parameters that name files stand for the content of these files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256

import pytest

from bench.core.errors import BenchError
from bench.core.files import InputFile, existing_file, file_digest, file_parameters


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
