"""Whatever an LMDB holds, its samples are read or rejected, or it is refused in one line.

Pages that are altered within a file are not tried: LMDB trusts its file, and ends the process.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import lmdb
import pytest
from fuzzing import PIECES, altered, fuzzed, refused_in_one_line
from hypothesis import given
from hypothesis import strategies as st

from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.lmdbs import Lmdb
from bench.data.raw.lmdb_release import LmdbRelease

SAMPLES = {
    f"{kind}-{number:09d}".encode(): f"{kind}{number}".encode()
    for kind in ("image", "label")
    for number in (1, 2, 3)
}
LABELS = {f"label-{n:09d}".encode(): b'{"filename": "1.png", "text": "one"}' for n in (1, 2, 3)}
GOOD = [
    SAMPLES | {b"num-samples": b"3"},
    {name[:-1] + b"0" if name[-1:] == b"3" else name: value for name, value in SAMPLES.items()}
    | {b"num-samples": b"3"},
    LABELS | {b"num-samples": b"3"},
    {b"total_number": b"2", b"0": b"1.png one", b"1": b"2.png two words"},
]


@st.composite
def held(draw: st.DrawFn) -> dict[bytes, bytes]:
    """Return the keys of an LMDB, some of them altered, taken out or added."""
    found = dict(draw(st.sampled_from(GOOD)))
    for name in draw(st.lists(st.sampled_from(sorted(found)), max_size=3)):
        value = found.pop(name, b"")
        if draw(st.booleans()):
            found[name] = draw(altered(value) | st.sampled_from(PIECES))
        elif draw(st.booleans()):
            found[draw(altered(name))[:500]] = value
    return {name: value for name, value in found.items() if name}


def write_lmdb(folder: Path, values: dict[bytes, bytes]) -> None:
    with (
        lmdb.open(str(folder), map_size=2**20, lock=False) as environment,
        environment.begin(write=True) as change,
    ):
        for name, value in values.items():
            change.put(name, value)


@fuzzed()
@given(drawn=st.data())
def test_altered_keys_are_samples_rejections_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, drawn: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("odd")
    write_lmdb(root / "words", drawn.draw(held()))
    data = open_data_folder(root)
    found = Lmdb().find(data)
    assert found == [root / "words"]
    with refused_in_one_line():
        for row in Lmdb().rows(root / "words", data):
            row.id.encode()
            if not isinstance(row, Rejected):
                with refused_in_one_line():
                    row.images.load()
    with refused_in_one_line():
        Lmdb().database(root / "words")
    with refused_in_one_line():
        read_release(root)


def read_release(root: Path) -> None:
    release = LmdbRelease(root, {"test": ["words"]})
    release.database("test")
    for entry in release.entries("test"):
        entry.id.encode()
        if isinstance(entry, Entry):
            with refused_in_one_line():
                entry.load()


@fuzzed()
@given(drawn=st.data())
def test_a_file_that_was_cut_or_is_another_is_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, drawn: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("cut")
    write_lmdb(root / "whole", GOOD[0])
    content = (root / "whole" / "data.mdb").read_bytes()
    shutil.rmtree(root / "whole")
    cut = content[: drawn.draw(st.integers(0, len(content) - 1))]
    other = drawn.draw(st.sampled_from([cut, cut[:24] + bytes(len(content)), b"x" * len(content)]))
    (root / "words").mkdir()
    (root / "words" / "data.mdb").write_bytes(other)
    data = open_data_folder(root)
    for labels in {*Lmdb().find(data), root / "words"}:
        with refused_in_one_line():
            list(Lmdb().rows(labels, data))
    with refused_in_one_line():
        read_release(root)
