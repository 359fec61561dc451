"""Data of users in containers: images that stay in an LMDB, and errors of broken containers."""

from __future__ import annotations

import json

import lmdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from bench.core.errors import BenchError
from bench.data.raw.labels.arrow_tables import ParquetTable
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.divisions import Group, NamedSplits, RatioSplits, WholeSplit
from bench.data.raw.labels.format_detection import choose_format, detect_formats
from bench.data.raw.labels.lmdbs import Lmdb
from bench.data.raw.labels.own_labels import OwnLabels
from bench.data.store import preparing
from bench.data.store.partition import Partition

from ...conftest import jpeg


def write_lmdb(place, count=4, start=1, *, subdir=True):
    (place if subdir else place.parent).mkdir(parents=True, exist_ok=True)
    with (
        lmdb.open(str(place), map_size=2**24, subdir=subdir, lock=False) as environment,
        environment.begin(write=True) as transaction,
    ):
        transaction.put(b"num-samples", b"%d" % count)
        for number in range(start, start + count):
            transaction.put(b"image-%09d" % number, jpeg(number))
            transaction.put(b"label-%09d" % number, b"word%d" % number)


def prepared(root, folder, division=WholeSplit("test"), **more):  # noqa: B008 (frozen)
    """Prepare the folder `root` as the data set `own`, and return its partitions."""
    reader = OwnLabels(root, division, **more).reader(root)
    preparing.prepare(reader, root, folder / "own", lambda _part, _done: None, clips=False)
    return {part: Partition("own", part) for part in reader.parts}


def texts(partition):
    return [partition.value("text", row) for row in range(len(partition))]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "source"


@pytest.mark.parametrize("subdir", [True, False])
def test_the_images_of_one_lmdb_stay_in_it(root, folder, subdir):
    write_lmdb(root / "words.lmdb", subdir=subdir)
    test = prepared(root, folder)["test"]
    file = root / "words.lmdb" / "data.mdb" if subdir else root / "words.lmdb"
    assert (test.folder / "data.mdb").resolve() == file
    assert texts(test) == ["word1", "word2", "word3", "word4"]
    assert [test.encoded(row) for row in range(4)] == [[jpeg(n)] for n in (1, 2, 3, 4)]


def test_each_split_may_have_an_lmdb(root, folder):
    for split in ("train", "val"):
        write_lmdb(root / split)
    parts = prepared(root, folder, NamedSplits())
    for part, name in (("train", "train"), ("validation", "val")):
        assert (parts[part].folder / "data.mdb").resolve() == root / name / "data.mdb"
        assert parts[part].encoded(3) == [jpeg(4)]


@pytest.mark.parametrize(
    ("start", "division", "group"),
    [
        (0, WholeSplit("test"), None),
        (1, RatioSplits({"train": 0.5, "test": 0.5}, "v1"), None),
        (1, WholeSplit("test"), Group(pattern="[0-9]$")),
    ],
)
def test_images_are_copied_if_numbers_differ_from_those_of_rows(
    root, folder, start, division, group
):
    write_lmdb(root / "words", 12, start)
    parts = prepared(root, folder, division, group=group)
    for part in parts.values():
        assert not (part.folder / "data.mdb").is_symlink()
        numbers = [int(text.removeprefix("word")) for text in texts(part)]
        assert [part.encoded(row) for row in range(len(part))] == [[jpeg(n)] for n in numbers]
    assert sum(map(len, parts.values())) == 12


def test_two_lmdbs_of_a_split_are_combined(root, folder):
    write_lmdb(root / "train" / "a")
    write_lmdb(root / "train" / "b", 3)
    train = prepared(root, folder, NamedSplits())["train"]
    assert not (train.folder / "data.mdb").is_symlink()
    assert [train.value("id", row) for row in (0, 6)] == ["train/a/000000001", "train/b/000000003"]
    assert train.encoded(6) == [jpeg(3)]


def test_an_unreadable_lmdb_is_not_ignored(root, folder):
    write_lmdb(root / "train")
    write_lmdb(root / "val")
    with (
        lmdb.open(str(root / "val"), lock=False) as environment,
        environment.begin(write=True) as t,
    ):
        t.delete(b"num-samples")
    with pytest.raises(BenchError, match="val: this LMDB has no key num-samples"):
        prepared(root, folder, NamedSplits())


def test_the_reason_is_reported_if_no_format_is_detected(root):
    write_lmdb(root / "a")
    with lmdb.open(str(root / "a"), lock=False) as environment, environment.begin(write=True) as t:
        t.put(b"num-samples", b"many")
    with pytest.raises(BenchError, match="its num-samples is not a number of samples"):
        detect_formats(open_data_folder(root))


def test_lines_without_a_text_do_not_hide_the_others(write):
    lines = "".join(
        f'<TextLine id="l{n}"><Coords points="0,0 9,0 9,9"/><TextEquiv><Unicode>'
        f"{'text' if n == 1 else ''}</Unicode></TextEquiv></TextLine>"
        for n in range(9)
    )
    page = f'<PcGts><Page imageFilename="1.jpg">{lines}</Page></PcGts>'
    data = open_data_folder(write({"page/1.xml": page, "1.jpg": jpeg(1)}))
    found = choose_format(detect_formats(data), data)
    assert (found.format.name, len(found.rows)) == ("page-xml", 1)
    assert found.rejected == {"a line without a text": 8}


def test_a_container_that_is_a_link_out_of_the_folder_is_not_read(tmp_path, root):
    write_lmdb(tmp_path / "secret.lmdb", subdir=False)
    table = pa.table({"file_name": ["1.jpg"], "text": ["secret"]})
    parquet.write_table(table, tmp_path / "secret.parquet")
    root.mkdir()
    for name, format_ in (("secret.lmdb", Lmdb()), ("secret.parquet", ParquetTable())):
        (root / name).symlink_to(tmp_path / name)
        with pytest.raises(BenchError, match=f"{name} is a link out of"):
            list(format_.rows(root / name, open_data_folder(root)))


def test_ids_have_no_control_characters_and_no_surrogates(write, folder):
    html = "<div class='ocr_page' title='image 1.jpg'><p class='ocr_line' id='\x1b[31m{}' {}>a</p>"
    box = "title='bbox 0 0 9 9'"
    labels = json.dumps({"filename": "1.jpg", "text": "\ud800"})
    root = write({"a.html": html.format("1", box) + html.format("2", ""), "1.jpg": jpeg(1)})
    test = prepared(root, folder)["test"]
    assert test.value("id", 0) == r"a/\x1b[31m1"
    assert r"a/\x1b[31m2" in (test.folder / "rejected.tsv").read_text()
    write_lmdb(root / "labels.lmdb", 1)
    place = str(root / "labels.lmdb")
    with lmdb.open(place, lock=False) as environment, environment.begin(write=True) as change:
        change.delete(b"image-000000001")
        change.put(b"label-000000001", labels.encode())
    reader = OwnLabels(root, WholeSplit("test"), Lmdb())
    with pytest.raises(BenchError, match="1 a text with a control character"):
        reader.reader(root)


def test_pages_are_not_divided(write, folder):
    text = "<TextEquiv><Unicode>a</Unicode></TextEquiv>"
    line = f"<TextLine id='{{}}'><Coords points='0,0 9,0 9,9'/>{text}</TextLine>"
    lines = "".join(map(line.format, "abcd"))
    page = f"<PcGts><Page imageFilename='1.jpg'>{lines}</Page></PcGts>"
    root = write({f"{n}.xml": page for n in range(12)} | {"1.jpg": jpeg(1)})
    division = RatioSplits({"train": 0.5, "test": 0.5}, "v1")
    parts = prepared(root, folder, division, group=Group(column="page"))
    pages = [
        {part.value("id", row).partition("/")[0] for row in range(len(part))}
        for part in parts.values()
    ]
    assert len(pages) == 2
    assert not pages[0] & pages[1]
    assert sum(map(len, parts.values())) == 48
