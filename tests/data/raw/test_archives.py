"""Archives: good ones are unpacked and removed, hostile ones leave nothing behind."""

from __future__ import annotations

import gzip
import io
import os
import resource
import shutil
import tarfile
import time
import zipfile
from types import SimpleNamespace

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.raw.archives import unpacked

FILES = {"release/a/1.jpg": b"one", "release/a/2.jpg": b"", "release/words.txt": b"x" * 3_000_000}


def member(name, kind=tarfile.REGTYPE, target="", size=0):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, target, size
    return found


def tar(file, *members, mode="w"):
    """Write a tar of members and of names with their content."""
    with tarfile.open(file, mode) as archive:
        for one in members:
            if isinstance(one, tarfile.TarInfo):
                archive.addfile(one, io.BytesIO(bytes(one.size)))
            else:
                archive.addfile(member(one[0], size=len(one[1])), io.BytesIO(one[1]))
    return file


def zipped(file, *members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


def unix(name, mode):
    found = zipfile.ZipInfo(name)
    found.create_system, found.external_attr = 3, mode << 16
    return found


def content(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def refused(archive, into, match):
    """Check that an archive is refused with a matching error, and leaves no files."""
    before = {file for file in into.parent.rglob("*") if into not in file.parents}
    with pytest.raises(BenchError, match=match), unpacked(archive, into):
        pass
    assert not into.exists() or not list(into.iterdir())
    after = {file for file in into.parent.rglob("*") if into not in file.parents}
    assert after - {into} == before - {into}


@pytest.fixture
def into(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_every_kind_is_unpacked_and_removed_after_use(tmp_path, into, mode):
    if mode == "zip":
        source = zipped(tmp_path / "x", ("release/b/", b""), *FILES.items())
    else:
        folders = [member(name, tarfile.DIRTYPE) for name in (".", "./release/b")]
        source = tar(tmp_path / "x", *folders, *FILES.items(), mode=mode)
    with unpacked(source, into) as folder:
        assert content(folder) == FILES
        assert (folder / "release" / "b").is_dir()
    assert not list(into.iterdir())


def test_a_folder_is_used_in_place(tmp_path, into):
    with unpacked(tmp_path, into) as folder:
        assert folder == tmp_path
    assert tmp_path.is_dir()


def test_an_unpacked_archive_is_kept_after_an_interruption(tmp_path, into):
    source = tar(tmp_path / "x.tar", *FILES.items())
    interrupted = unpacked(source, into)
    (interrupted.__enter__() / "mark").touch()
    assert not interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with unpacked(source, into) as folder:
        assert (folder / "mark").exists()


def test_another_archive_of_the_same_name_is_unpacked_again(tmp_path, into):
    source = tar(tmp_path / "x.tar", *FILES.items())
    interrupted = unpacked(source, into)
    interrupted.__enter__()
    assert not interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    (into / f"{source.name}-9-{time.time_ns()}.part").mkdir()  # of a process that was killed
    (into / f"{source.name}-2024-1").mkdir()  # a data set
    tar(source, ("other", b""))
    with unpacked(source, into) as folder:
        assert content(folder) == {"other": b""}
        folders = {each for each in into.iterdir() if each.is_dir()}
        assert folders == {folder, into / f"{source.name}-2024-1"}
    assert [each.name for each in into.iterdir()] == [f"{source.name}-2024-1"]


def test_links_within_are_kept(tmp_path, into):
    source = tar(
        tmp_path / "x.tar",
        ("multi/frames/1.png", b"frame"),
        member("si5/frames", tarfile.SYMTYPE, "../multi/frames"),
        member("si5/one.png", tarfile.LNKTYPE, "multi/frames/1.png"),
    )
    with unpacked(source, into) as folder:
        assert (folder / "si5" / "frames" / "1.png").read_bytes() == b"frame"
        assert (folder / "si5" / "one.png").read_bytes() == b"frame"
        (folder / "si5" / "one.png").write_bytes(b"other")
        assert (folder / "multi" / "frames" / "1.png").read_bytes() == b"frame"


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/bench/out", "a\\..\\out"])
@pytest.mark.parametrize("write", [tar, zipped])
def test_a_name_that_leads_out_is_refused(tmp_path, into, write, name):
    source = write(tmp_path / "x", ("fine", b"1"), (name, b"2"))
    refused(source, into, r"x: '.*out' leads out of its folder, so the archive is not used")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("link", "/etc"),
        ("link", ".."),
        ("a/link", "../../x"),
        ("link", "d/../.."),
        ("link", "d/.."),
        ("link", "a\\..\\.."),
        ("link", "."),
    ],
)
def test_a_symbolic_link_that_leads_out_or_could_is_refused(tmp_path, into, name, target):
    source = tar(tmp_path / "x.tar", member(name, tarfile.SYMTYPE, target))
    refused(source, into, "link' is a link out of its folder")
    packed = zipped(tmp_path / "x.zip", (unix(name, 0o120777), target))
    refused(packed, into, "link' is a link out of its folder")


def test_nothing_is_written_through_a_link(tmp_path, into):
    down = member("down", tarfile.SYMTYPE, "d")
    below = tar(tmp_path / "below.tar", ("d/1", b""), down, ("down/2", b""))
    refused(below, into, "'down/2' leads out of its folder")
    instead = tar(tmp_path / "instead.tar", ("d", b""), down, ("down", b"2"))
    refused(instead, into, "'down' is there twice")


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "later", "down/secret"])
def test_a_hard_link_to_a_missing_file_is_refused(tmp_path, into, target):
    (tmp_path / "secret").write_text("key")
    down, link = member("down", tarfile.SYMTYPE, "d"), member("link", tarfile.LNKTYPE, target)
    source = tar(tmp_path / "x.tar", ("d/secret", b""), down, link)
    refused(source, into, "'link' is a link to a file that is not before it")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_is_refused(tmp_path, into, kind):
    refused(tar(tmp_path / "x.tar", member("device", kind)), into, "'device' is not a regular file")
    mode = {tarfile.CHRTYPE: 0o020666, tarfile.BLKTYPE: 0o060666, tarfile.FIFOTYPE: 0o010666}[kind]
    refused(
        zipped(tmp_path / "x.zip", (unix("device", mode), b"")),
        into,
        "'device' is not a regular file",
    )


@pytest.mark.parametrize("write", [tar, zipped])
def test_more_bytes_than_the_disk_has_are_refused(tmp_path, into, write, monkeypatch):
    source = write(tmp_path / "x", ("small", b"1"), ("bomb", bytes(3_000_000)), ("last", b""))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    refused(source, into, "'bomb' fills more than 90% of the free disk")


def test_more_empty_members_than_fit_on_the_disk_are_refused(tmp_path, into, monkeypatch):
    folders = [member(f"d{n}", tarfile.DIRTYPE) for n in range(20)]
    source = tar(tmp_path / "x.tar", *[(f"f{n}", b"") for n in range(20)], *folders)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=35 * 4096))
    refused(source, into, "'d11' fills more than 90% of the free disk")


def test_a_repeated_name_is_refused(tmp_path, into):
    refused(tar(tmp_path / "x.tar", ("one", b"1"), ("one", b"2")), into, "'one' is there twice")


def test_a_zip_with_a_password_is_refused(tmp_path, into):
    source = zipped(tmp_path / "x.zip", ("secret", b"1"))
    packed = bytearray(source.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    source.write_bytes(packed)
    refused(source, into, "'secret' is not a regular file, folder or link")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_a_damaged_archive_is_refused(tmp_path, into, mode):
    words = ("words", os.urandom(300_000))
    source = tmp_path / "x"
    zipped(source, words) if mode == "zip" else tar(source, words, mode=mode)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    refused(source, into, "x cannot be unpacked.*else download it again")


def test_a_zip_with_altered_bytes_is_refused(tmp_path, into):
    source = zipped(tmp_path / "x.zip", ("words", os.urandom(1000)))
    packed = bytearray(source.read_bytes())
    packed[500] ^= 1
    source.write_bytes(packed)
    refused(source, into, "cannot be unpacked at or after 'words'")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08 no gzip", b"PK\x03\x04"])
def test_a_file_that_is_not_an_archive_is_refused(tmp_path, into, content):
    (tmp_path / "x").write_bytes(content)
    refused(tmp_path / "x", into, "x cannot be unpacked")


def test_a_missing_source_is_an_error(tmp_path, into):
    missing = unpacked(tmp_path / "absent", into)
    with pytest.raises(BenchError, match="absent does not exist"), missing:
        pass


def test_a_zip_of_windows_tools_has_backslashes(tmp_path, into):
    files = {name.replace("/", "\\"): packed for name, packed in FILES.items()}
    source = zipped(tmp_path / "x.zip", ("release\\b\\", b""), *files.items())
    with unpacked(source, into) as folder:
        assert content(folder) == FILES
        assert (folder / "release" / "b").is_dir()


@pytest.mark.parametrize("write", [tar, zipped])
def test_metadata_of_macos_is_not_unpacked(tmp_path, into, write):
    added = ["__MACOSX/release/a/._1.jpg", "release/.DS_Store", "release/a/._1.jpg"]
    source = write(tmp_path / "x", *FILES.items(), *[(name, b"\0\5\x16\7") for name in added])
    with unpacked(source, into) as folder:
        assert content(folder) == FILES


def test_an_archive_is_used_by_one_process_at_a_time(tmp_path, into):
    source = tar(tmp_path / "x.tar", *FILES.items())
    with unpacked(source, into) as folder:
        with pytest.raises(BenchError, match="another process is preparing from it"):
            unpacked(source, into).__enter__()
        assert content(folder) == FILES


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "is not a folder or a file"),
        (lambda file: file.symlink_to("/dev/zero"), "is not a folder or a file"),
        (lambda file: lmdb.open(str(file), subdir=False, lock=False).close(), "is an LMDB and no"),
    ],
    ids=["pipe", "device", "lmdb"],
)
def test_an_lmdb_or_a_device_is_not_an_archive(tmp_path, into, make, why):
    make(tmp_path / "x")
    refused(tmp_path / "x", into, why)


def huge(kind, first):
    """Return a tar.gz of few bytes with a header of 64 MB, before or after a file."""
    stream = io.BytesIO()
    with gzip.open(stream, "wb", compresslevel=1) as packed:
        if not first:
            packed.write(member("fine").tobuf())
        packed.write(member("long", kind, size=2**26).tobuf())
        for _ in range(64):
            packed.write(bytes(2**20) if kind != tarfile.GNUTYPE_LONGNAME else b"a" * 2**20)
    return stream.getvalue()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_header_too_large_for_memory_is_refused(tmp_path, into, kind, first):
    (tmp_path / "x").write_bytes(huge(kind, first))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(tmp_path / "x", into, "a name or header of 67,108,864 bytes")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 2**10


def sparse_1_0():
    """Return a tar of one sparse file, whose list of parts is in its content."""
    found = member("sparse", size=512)
    found.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(found, io.BytesIO(b"9000000\n".ljust(512, b"1")))
    return stream.getvalue()


def test_a_sparse_file_is_refused_before_its_list_of_parts_is_read(tmp_path, into):
    (tmp_path / "x").write_bytes(sparse_1_0())
    refused(tmp_path / "x", into, "a sparse file")
    (tmp_path / "x").write_bytes(member("old", tarfile.GNUTYPE_SPARSE).tobuf() + bytes(1024))
    refused(tmp_path / "x", into, "a sparse file")


def test_a_chain_of_headers_is_refused(tmp_path, into):
    chain = member("next", tarfile.GNUTYPE_LONGNAME, size=1).tobuf() + b"a".ljust(512, b"\0")
    (tmp_path / "x").write_bytes(chain * 3000)
    refused(tmp_path / "x", into, "cannot be unpacked")


NAMES = st.lists(st.sampled_from(["..", ".", "a", "b", "", "c"]), min_size=1, max_size=4)
MEMBERS = st.tuples(
    NAMES.map("/".join),
    st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]),
    NAMES.map("/".join),
)


@settings(max_examples=150)
@given(st.lists(MEMBERS, max_size=5))
def test_no_archive_reaches_out_of_its_folder(tmp_path_factory, members):
    root = tmp_path_factory.mktemp("root")
    (root / "secret").write_bytes(b"key")
    source = tar(root / "x.tar", *[member(name, kind, target) for name, kind, target in members])
    try:
        with unpacked(source, root / "data") as folder:
            for place in folder.rglob("*"):
                assert os.path.realpath(place).startswith(f"{os.path.realpath(folder)}/")
    except BenchError:
        pass
    assert {file.name for file in root.iterdir()} <= {"secret", "x.tar", "data"}
    assert (root / "secret").read_bytes() == b"key"
