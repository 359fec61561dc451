"""Every reader of text takes the encodings and line ends of other systems, and nothing else."""

from __future__ import annotations

import codecs
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.core.errors import BenchError
from bench.data.datasets import line_splits
from bench.data.raw.entries import Entry
from bench.data.raw.iam import IamLines
from bench.data.raw.phoenix14 import Phoenix14Reader
from bench.decoding.algorithms.arpa import read_arpa
from bench.decoding.algorithms.word_list import read_word_list
from bench.evaluation import protocols
from bench.evaluation.metrics.text_files import read_samples
from bench.recognizers.outputs.alphabets import characters_of_file
from bench.recognizers.outside.prediction_tables import FileColumns, read_prediction_file


class Reader(NamedTuple):
    """What reads a file called `name`, given a folder, and a text of such a file."""

    name: str
    text: str
    read: Any


def _stm(folder: Path) -> Any:
    (folder / "h.ctm").write_text("")
    return [*read_samples(folder / "r.stm", folder / "h.ctm")]


def _ctm(folder: Path) -> Any:
    (folder / "r.stm").write_text("u 1 s 0 9 a\n")
    return [*read_samples(folder / "r.stm", folder / "h.ctm")]


def _ids(folder: Path) -> Any:
    return [*read_samples(folder / "lines", folder / "lines", ids=True)]


def _predictions(name: str) -> Any:
    return lambda folder: [*read_prediction_file(folder / name, FileColumns())]


def _iam(folder: Path) -> Any:
    for name in ("xml", "lines"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "xml" / "a01-000u.xml").write_text('<line id="a01-000u-00" text="Über"/>')
    return _texts(IamLines(folder).entries("lines"))


def _phoenix(folder: Path) -> Any:
    manual = folder / "annotations" / "manual"
    for split in ("train", "dev", "test"):
        (folder / "features" / "fullFrame-210x260px" / split).mkdir(parents=True, exist_ok=True)
        if split != "test":
            (manual / f"{split}.corpus.csv").touch()
    return _texts(Phoenix14Reader(folder, "multisigner").entries("test"))


def _texts(entries: Any) -> list[str]:
    return [each.text for each in entries if isinstance(each, Entry)]


def _official(folder: Path) -> Any:
    for name in ("trainset.txt", "validationset1.txt", "validationset2.txt"):
        (folder / name).touch()
    return line_splits.line_splits("official", folder)


PHOENIX = "annotations/manual/test.corpus.csv"
ARPA = "\\data\\\nngram 1=1\n\n\\1-grams:\n-1\tü\n\n\\end\\\n"
READERS = [
    Reader("r.stm", "u 1 s 0 9 GRÜN\n;;\nv 1 s 0 9 ROT\n", _stm),
    Reader("h.ctm", "u 1 1 1 GRÜN\nu 1 2 1 ROT\n", _ctm),
    Reader("lines", "1\tgrün\n2\trot\n", _ids),
    Reader("p.csv", "id,text\n1,grün\n2,rot\n", _predictions("p.csv")),
    Reader("p.tsv", "id\ttext\n1\tgrün\n2\trot\n", _predictions("p.tsv")),
    Reader(
        "p.jsonl", '{"id": "1", "text": "grün"}\n{"id": "2", "text": ""}\n', _predictions("p.jsonl")
    ),
    Reader("words", "grün\nrot\n", lambda f: read_word_list(str(f / "words"), (*"grünot",), "x")),
    Reader("arpa", ARPA, lambda folder: [*read_arpa(str(folder / "arpa"), "x")]),
    Reader("letters", "a\nü\n", lambda folder: characters_of_file(str(folder / "letters"), "x")),
    Reader(
        "set",
        "a\nü\n",
        lambda f: protocols.declare_protocol("x", {"charset_file": "set"}, f).charset,
    ),
    Reader("testset.txt", "a01-000u-00\nb02-000-ü\n", _official),
    Reader("lines.txt", "#\na01-000u-00 ok 154 19 4 7 16 8 Über\n", _iam),
    Reader(PHOENIX, "id|folder|signer|annotation\na|a/*.png|Signer|GRÜN\n", _phoenix),
]
ENCODED = {
    "a byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 of the other order": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "CR and LF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR alone": lambda text: text.replace("\n", "\r").encode(),
}
# One of a raw data set rejects what is not text row by row.
ROWS = ("lines.txt", PHOENIX)


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request, tmp_path) -> tuple[Path, Reader]:
    """Return a file that is not there yet, and its reader."""
    file = tmp_path / request.param.name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file, request.param


def test_every_encoding_says_the_same(reader, tmp_path):
    file, (_, text, read) = reader
    file.write_text(text)
    plain = read(tmp_path)
    assert plain
    for name, encode in ENCODED.items():
        file.write_bytes(encode(text))
        assert read(tmp_path) == plain, name


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_text_of_another_encoding_is_refused(reader, tmp_path, encoding):
    file, (name, text, read) = reader
    file.write_bytes(text.encode(encoding))
    if name in ROWS:
        with suppress(BenchError):
            assert read(tmp_path) == []
        return
    with pytest.raises(BenchError) as error:
        read(tmp_path)
    [sentence] = str(error.value).splitlines()
    assert "UTF-16" in sentence


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda file: file.symlink_to("/dev/zero")])
def test_what_is_not_a_file_is_refused_at_once(reader, tmp_path, make):
    file, (_, _, read) = reader
    make(file)
    with pytest.raises(BenchError) as error:
        read(tmp_path)
    assert len(str(error.value).splitlines()) == 1
