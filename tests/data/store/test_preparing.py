"""Preparing: samples, rejected entries, and resuming after interruptions."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from bench.core.errors import BenchError, Exit
from bench.data.raw.entries import Entry, Rejected, SampleError
from bench.data.store import preparing
from bench.data.store.partition import Partition
from bench.data.store.prepared import REJECTED, Prepared, read_prepared

from ..conftest import Listed, jpeg, listed

Prepare = Callable[..., Prepared]


def bomb() -> bytes:
    """Return a PNG of a few bytes that claims 3.6 billion pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_an_lmdb_that_other_tools_read_too(prepare: Prepare, folder: Path) -> None:
    prepare(listed(3))
    with lmdb.open(str(folder / "words" / "train"), readonly=True, lock=False) as environment:
        transaction = environment.begin()
        assert transaction.get(b"num-samples") == b"3"
        assert transaction.get(b"label-000000002") == b"Word1"
        assert transaction.get(b"image-000000002") == jpeg(1, 43)


def test_every_row_describes_its_sample(prepare: Prepare) -> None:
    prepare(listed(3))
    partition = Partition("words", "test")
    assert len(partition) == 3
    assert [partition.value("id", row) for row in range(3)] == ["test/0", "test/1", "test/2"]
    assert partition.column("width").to_pylist() == [40, 43, 46]
    assert partition.column("height").to_pylist() == [31] * 3
    assert partition.pixels(1, 1).shape == (31, 43)
    assert partition.pixels(1, 3).shape == (31, 43, 3)


def test_unusable_entries_are_rejected_by_name_and_reason(prepare: Prepare, folder: Path) -> None:
    layout = listed(2, ["train"])

    def gone() -> bytes:
        raise SampleError("no such file")

    layout.samples["train"] += [
        layout.image("empty", "a", b""),
        layout.image("no-image", "b", b"<html>"),
        layout.image("half", "c", jpeg(7)[:400]),
        layout.image("bomb", "d", bomb()),
        layout.image("gone", "e", gone),
        Rejected("listed-twice", "listed twice"),
        layout.image("last", "f", jpeg(8)),
    ]
    found = prepare(layout)
    assert found.parts["train"].samples == 3
    assert sum(found.parts["train"].rejected.values()) == 6
    lines = (folder / "words" / "train" / REJECTED).read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "empty",
        "no-image",
        "half",
        "bomb",
        "gone",
        "listed-twice",
    ]
    assert "67,108,864 pixels" in lines[3]
    assert Partition("words", "train").value("id", 2) == "last"
    assert Partition("words", "train").pixels(2, 1).shape == (31, 60)


def test_of_samples_with_one_id_the_first_is_kept(prepare: Prepare, folder: Path) -> None:
    layout = listed(3, ["train"])
    layout.samples["train"] += [
        layout.image("train/1", "Word1", jpeg(8)),
        layout.image("train/2", "Other", jpeg(9)),
        layout.image("train/1", "Word1", jpeg(8)),
        layout.image("unread", "a", b"no image"),
        layout.image("unread", "a", jpeg(10)),
    ]
    found = prepare(layout).parts["train"]
    assert found.samples == 4
    assert found.rejected["listed before with the same text"] == 2
    assert found.rejected["listed before with another text"] == 1
    lines = (folder / "words" / "train" / REJECTED).read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["train/1", "train/2", "train/1", "unread"]
    partition = Partition("words", "train")
    assert partition.column("id").to_pylist() == ["train/0", "train/1", "train/2", "unread"]
    assert partition.encoded(1) == [jpeg(1, 43)]
    assert partition.encoded(3) == [jpeg(10)]


def test_the_list_of_rejected_entries_is_printable_and_shortened(
    prepare: Prepare, folder: Path
) -> None:
    layout = listed(1, ["train"])
    layout.samples["train"].append(Rejected("\x1b]0;owned\x07\u202e" + "x" * 100_000, "a\nb"))
    prepare(layout)
    [line] = (folder / "words" / "train" / REJECTED).read_text().splitlines()
    assert line.replace("\t", "").isprintable()
    assert len(line) < 600


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "bench-test", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("taken", [800_000, 1_040_000])
def test_a_full_disk_is_an_error_after_which_preparing_resumes(
    small_disk: Path, tmp_path: Path, taken: int
) -> None:
    (small_disk / "other").write_bytes(bytes(taken))

    def prepare() -> Prepared:
        layout = listed(60, ["train"])
        return preparing.prepare(
            layout, tmp_path, small_disk / "words", lambda *_: None, clips=False
        )

    with pytest.raises(BenchError, match=r"disk is full.* run the same command again to resume"):
        prepare()
    assert read_prepared(small_disk / "words") is None
    (small_disk / "other").unlink()
    assert prepare().parts["train"].samples == 60
    names = {file.name for file in (small_disk / "words").rglob("*")}
    assert names == {"prepared.json", "train", "data.mdb", "part.json", REJECTED, "samples.arrow"}


def test_no_usable_sample_is_an_error_with_the_list_of_reasons(prepare: Prepare) -> None:
    layout = Listed({"train": []})
    layout.samples["train"].append(layout.image("a", "a", b"no image"))
    with pytest.raises(BenchError, match=r"rejected\.tsv.*has no usable sample") as error:
        prepare(layout)
    assert error.value.code == Exit.UNVERIFIED


def test_the_fingerprint_depends_on_ids_transcripts_and_pixels(prepare: Prepare) -> None:
    def changed(**change: object) -> str:
        layout = listed(3, ["train"])
        entry = layout.samples["train"][1]
        assert isinstance(entry, Entry)
        layout.samples["train"][1] = entry._replace(**change)
        name = "-".join(["words", *change])
        return prepare(layout, name).parts["train"].fingerprint

    found = [
        changed(),
        changed(id="other"),
        changed(text="Other"),
        changed(load=lambda: (jpeg(99),)),
    ]
    assert len(set(found)) == 4
    again = prepare(listed(3, ["train"]), "again").parts["train"].fingerprint
    assert again == found[0]


def test_further_columns_of_text(prepare: Prepare) -> None:
    layout = listed(2, ["train"], columns=["signer"])
    layout.samples["train"] = [
        entry._replace(more={"signer": f"s{place}"})
        for place, entry in enumerate(layout.samples["train"])
        if isinstance(entry, Entry)
    ]
    prepare(layout)
    assert Partition("words", "train").value("signer", 1) == "s1"


def test_the_frames_of_a_clip(prepare: Prepare, folder: Path) -> None:
    layout = Listed({"train": [Entry("clip", "A B", lambda: [jpeg(n, 40) for n in range(5)])]})
    layout.samples["train"].append(Entry("none", "A", list))
    layout.samples["train"].append(Entry("odd", "A", lambda: [jpeg(0, 40), jpeg(1, 41)]))
    found = prepare(layout, clips=True)
    assert found.parts["train"].rejected == {"frames of several sizes": 1, "no frame": 1}
    partition = Partition("words", "train")
    assert partition.value("frames", 0) == 5
    assert len([*partition.clip(0, [0, 4, 4], 3)]) == 3
    assert partition.encoded(0) == [jpeg(n, 40) for n in range(5)]


def test_a_map_that_is_too_small_grows(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.data.store.database._MAP_BYTES", 32 * 1024)
    assert prepare(listed(100, ["train"])).parts["train"].samples == 100


def test_an_interruption_loses_no_finished_group(
    prepare: Prepare, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "MAX_GROUP_SAMPLES", 4)
    whole = prepare(listed(50), "whole")

    def stop() -> bytes:
        raise KeyboardInterrupt

    broken = listed(50)
    broken.samples["train"][40] = broken.image("train/40", "Word40", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare(broken)
    assert read_prepared(folder / "words") is None
    layout = listed(50)
    found = prepare(layout)
    assert found.parts == whole.parts
    # Threads prefetch entries; those that were loaded and not written are loaded again.
    done = {f"train/{n}" for n in range(4)}
    assert not done.intersection(layout.loaded)
    assert "train/40" in layout.loaded


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from bench.data.store import preparing
from tests.data.conftest import listed, jpeg
preparing.MAX_GROUP_SAMPLES = 8
layout = listed(200, ["train"])
def die():
    os.kill(os.getpid(), signal.SIGKILL)
layout.samples["train"][150] = layout.image("train/150", "Word150", die)
source = Path(sys.argv[1])
preparing.prepare(layout, source, source / "data" / "words", print, clips=False)
"""


def test_a_kill_loses_no_finished_group(prepare: Prepare, folder: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(root)],
        capture_output=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    layout = listed(200, ["train"])
    found = prepare(layout)
    assert 0 < len(layout.loaded) < 200
    assert found.parts == prepare(listed(200, ["train"]), "whole").parts
    with lmdb.open(str(folder / "words" / "train"), readonly=True, lock=False) as environment:
        assert environment.begin().get(b"num-samples") == b"200"


def test_working_files_of_a_killed_preparation_are_removed(prepare: Prepare, folder: Path) -> None:
    done = folder / "words" / "train"
    found = prepare(listed(3, ["train"]))
    names = {file.name for file in done.iterdir()}
    for name in ("rows.arrows", "progress.json", ".part.json.0123.part"):
        (done / name).write_bytes(b"left")
    (folder / "words" / "prepared.json").unlink()
    assert prepare(listed(3, ["train"])) == found
    assert {file.name for file in done.iterdir()} == names


def test_another_source_does_not_resume_a_preparation(
    prepare: Prepare, folder: Path, tmp_path: Path
) -> None:
    def stop() -> bytes:
        raise KeyboardInterrupt

    layout = Listed({"train": []})
    layout.samples["train"].append(layout.image("a", "a", stop))
    with pytest.raises(KeyboardInterrupt):
        prepare(layout)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(
        BenchError, match=r"interrupted here; resume with that source, or .*--force"
    ):
        preparing.prepare(listed(1), other, folder / "words", lambda *_: None, clips=False)


def test_two_processes_cannot_prepare_the_same_data(folder: Path, tmp_path: Path) -> None:
    layout = listed(1)

    def entries(part: str) -> object:
        with pytest.raises(BenchError, match="another process is preparing this data set"):
            preparing.prepare(listed(1), tmp_path, folder / "words", lambda *_: None, clips=False)
        return iter(layout.samples[part])

    inner = Listed(layout.samples)
    inner.entries = entries  # type: ignore[assignment,method-assign]
    preparing.prepare(inner, tmp_path, folder / "words", lambda *_: None, clips=False)


def test_an_existing_lmdb_is_linked_to(prepare: Prepare, folder: Path, tmp_path: Path) -> None:
    prepare(listed(4, ["train"]), "ready")
    ready = (folder / "ready" / "train").rename(tmp_path / "elsewhere")
    layout = listed(4, ["train"], ready=ready)
    layout.samples["train"][1] = Rejected("train/1", "no label")
    found = prepare(layout)
    assert found.parts["train"].samples == 3
    link = folder / "words" / "train" / "data.mdb"
    assert link.is_symlink()
    assert link.resolve() == ready / "data.mdb"
    assert Partition("words", "train").encoded(1) == [jpeg(2, 46)]


def test_an_lmdb_that_was_unpacked_beside_the_prepared_data_is_copied(
    prepare: Prepare, folder: Path
) -> None:
    prepare(listed(4, ["train"]), "unpacked")
    layout = listed(4, ["train"], ready=folder / "unpacked" / "train")
    prepare(layout)
    assert not (folder / "words" / "train" / "data.mdb").is_symlink()
    assert Partition("words", "train").encoded(1) == [jpeg(1, 43)]


def test_progress_counts_every_entry_once(folder: Path, tmp_path: Path) -> None:
    told: dict[str, int] = {}

    def advance(part: str, done: int) -> None:
        told[part] = told.get(part, 0) + done

    preparing.prepare(listed(7), tmp_path, folder / "words", advance, clips=False)
    assert told == {"train": 7, "test": 7}
