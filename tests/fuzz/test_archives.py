"""Whatever is in an archive, it is unpacked into its folder or refused in one line."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from fuzzing import altered, fuzzed, refused_in_one_line
from hypothesis import given
from hypothesis import strategies as st

from bench.data.raw.archives import unpacked

FILES = {"a/1.jpg": b"one", "a/" + "long" * 40 + ".txt": b"two", "ä.txt": b"three" * 50}


def tar(mode: str, form: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=form) as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def zipped(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return stream.getvalue()


GOOD = {
    "gnu": tar("w", tarfile.GNU_FORMAT),
    "pax": tar("w", tarfile.PAX_FORMAT),
    "gzip": tar("w:gz", tarfile.PAX_FORMAT),
    "xz": tar("w:xz", tarfile.GNU_FORMAT),
    "bzip2": tar("w:bz2", tarfile.GNU_FORMAT),
    "zip": zipped(zipfile.ZIP_STORED),
    "deflate": zipped(zipfile.ZIP_DEFLATED),
    "lzma": zipped(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("kind", GOOD)
@fuzzed()
@given(drawn=st.data())
def test_an_altered_archive_is_unpacked_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, kind: str, drawn: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("packed")
    (root / "x").write_bytes(drawn.draw(altered(GOOD[kind])))
    with refused_in_one_line(), unpacked(root / "x", root / "data") as folder:
        assert folder.is_dir()
    assert not [*(root / "data").iterdir()]
    assert {each.name for each in root.iterdir()} == {"x", "data"}
