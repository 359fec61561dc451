"""Prepared data compared with their document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.core import documents
from bench.data.raw.entries import Entry
from bench.data.store import verifying
from bench.data.store.database import FILE, lmdb_key, open_database
from bench.data.store.prepared import DOCUMENT, SAMPLES, Prepared, require_prepared

from ..conftest import Listed, altered, jpeg, listed

Prepare = Callable[..., Prepared]


def faults(name: str = "words") -> list[str]:
    return verifying.verify_prepared(name, lambda *_: None)


@pytest.fixture
def part(prepare: Prepare, folder: Path) -> Path:
    prepare(listed(8))
    return folder / "words" / "train"


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_data_as_they_were_prepared_have_no_fault(part: Path) -> None:
    told: dict[str, int] = {}

    def advance(part: str, done: int) -> None:
        told[part] = told.get(part, 0) + done

    assert verifying.verify_prepared("words", advance) == []
    assert told == {"train": 8, "test": 8}


@pytest.mark.parametrize("place", [0, 500, -1])
def test_one_flipped_byte_of_an_image_names_its_sample(part: Path, place: int) -> None:
    content = open_database(part).get(lmdb_key("image", 4))
    assert content is not None
    altered(part, lmdb_key("image", 4), flipped(content, place % len(content)))
    [fault] = faults()
    assert fault == (
        f"{part}: sample 'train/3' has other images than were prepared; prepare it again"
    )


def test_a_missing_image_names_its_sample(part: Path) -> None:
    altered(part, lmdb_key("image", 8), None)
    [fault] = faults()
    assert fault.startswith(f"{part}: sample 'train/7' has no key image-000000008")


def test_a_frame_that_was_altered_names_its_clip(prepare: Prepare, folder: Path) -> None:
    clips = [Entry(f"clip{n}", "A", lambda n=n: [jpeg(n), jpeg(n + 1)]) for n in range(2)]
    prepare(Listed({"train": clips}), clips=True)
    altered(folder / "words" / "train", lmdb_key("image", 2, 0), jpeg(9))
    [fault] = faults()
    assert "sample 'clip1' has other images" in fault


def test_many_faults_are_named_in_part_and_counted(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "MAX_REPORTED", 2)
    for number in range(1, 6):
        altered(part, lmdb_key("image", number), jpeg(99))
    found = faults()
    assert len(found) == 3
    assert found[2] == f"{part}: 3 more samples are altered or missing"


def test_no_byte_of_the_table_may_change(part: Path) -> None:
    table = part / SAMPLES
    whole = table.read_bytes()
    for place in range(0, len(whole), 29):
        table.write_bytes(flipped(whole, place))
        assert faults() == [f"{table} is missing or was altered; prepare it again"]
    table.unlink()
    assert faults() == [f"{table} is missing or was altered; prepare it again"]


def test_a_truncated_lmdb_is_reported_and_other_partitions_are_read(part: Path) -> None:
    content = (part / FILE).read_bytes()
    (part / FILE).write_bytes(content[: len(content) // 2])
    altered(part.parent / "test", lmdb_key("image", 1), jpeg(99))
    first, second = faults()
    assert "data.mdb: it is truncated" in first
    assert "sample 'test/0' has other images" in second


def test_another_fingerprint_in_the_document_is_a_fault(part: Path) -> None:
    document = require_prepared("words")
    parts = document.parts | {"test": replace(document.parts["test"], fingerprint="sha256:0")}
    content = documents.encode(replace(document, parts=parts))
    documents.write_bytes(part.parent / DOCUMENT, content)
    [fault] = faults()
    assert fault.startswith(f"{part.parent / 'test' / SAMPLES} is missing or was altered")
