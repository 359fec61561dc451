"""Tables of signed sentences as labels: clips, glosses, signers."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.sign_tables import SignCorpus

PHOENIX14 = "id|folder|signer|annotation\n"
PHOENIX14_T = "name|video|start|end|speaker|orth|translation\n"
FEATURES = "features/fullFrame-210x260px"


def listed(root, images=None):
    data = open_data_folder(root, images, clips=True)
    return [row for labels in SignCorpus().find(data) for row in SignCorpus().rows(labels, data)]


def test_frames_are_those_that_match_in_natural_order(write):
    frames = {f"{FEATURES}/train/d1/1/f{n}.png": b"%d" % n for n in (10, 9, 1)}
    table = PHOENIX14 + "d1|d1/1/*.png|Signer01|REGEN  MORGEN \r\n"
    others = {f"{FEATURES}/train/d1/1/notes.txt": "", f"{FEATURES}/train/d1/1/f2.jpg": b"2"}
    [found] = listed(write({"annotations/manual/train.corpus.csv": table} | frames | others))
    assert (found.id, found.text) == ("d1", "REGEN MORGEN")
    assert found.columns == {"signer": "Signer01"}
    assert found.images.exists()
    assert found.images.load() == [b"1", b"9", b"10"]


def test_the_columns_of_phoenix14_t_and_its_missing_folder(write):
    table = PHOENIX14_T + "d1|d1/1/*.png|-1|-1|Signer08|JETZT WETTER|und nun\n"
    root = write({"PHOENIX-2014-T.dev.corpus.csv": table, f"{FEATURES}/dev/d1/1.png": b"1"})
    [found] = listed(root)
    assert (found.text, found.columns) == ("JETZT WETTER", {"signer": "Signer08"})
    assert found.images.load() == [b"1"]


@pytest.mark.parametrize("place", ["clips/a", "frames/clips/a", "dev/clips/a"])
def test_a_clip_may_be_named_by_its_folder(write, place):
    table = PHOENIX14 + "a|clips/a|S|X\n"
    [found] = listed(write({"dev.csv": table, f"{place}/1.png": b"1", f"{place}/x.txt": ""}))
    assert found.images.load() == [b"1"]


def test_the_folder_of_clips_may_be_named(write, tmp_path):
    clips = tmp_path / "clips"
    (clips / "a").mkdir(parents=True)
    (clips / "a" / "1.png").write_bytes(b"1")
    [found] = listed(write({"dev.csv": PHOENIX14 + "a|a|S|X\n"}), clips)
    assert found.images.load() == [b"1"]


def test_rows_that_are_not_clips_are_named(write):
    rows = "a|../a|S|X\nb|b\nc||S|X\nd|d/*.png|S|X\n|e|S|X\n\xe9|f|S|X\n"
    root = write({"dev.csv": PHOENIX14 + rows, "e/1.png": b"e", "g.csv": b"id|folder\n"})
    with (root / "dev.csv").open("ab") as file:
        file.write(b"\xff|g|S|X\n")
    first, second, third, fourth, fifth, _, last = listed(root)
    assert first == Rejected("a", "a path out of the data set's folder")
    assert second == Rejected("dev.csv:3", "a row of 2 columns, the header has 4")
    assert third == Rejected("c", "an empty path")
    assert not fourth.images.exists()
    with pytest.raises(SampleError, match="a folder of frames that cannot be read"):
        fourth.images.load()
    assert fifth.id == "dev.csv:6"
    assert last == Rejected("dev.csv:8", "a row that is not UTF-8")


def test_a_frame_that_is_a_link_out_of_the_folder_is_not_read(write):
    root = write({"dev.csv": PHOENIX14 + "a|a|S|X\n", "a/2.png": b"2"})
    (root.parent / "secret.png").write_bytes(b"secret")
    (root / "a" / "1.png").symlink_to(root.parent / "secret.png")
    [found] = listed(root)
    with pytest.raises(SampleError, match="a file outside the data set's folder"):
        found.images.load()


def test_a_table_of_something_else_is_an_error(write):
    root = write({"a.csv": "id,folder\n"})
    assert SignCorpus().find(open_data_folder(root)) == []
    with pytest.raises(BenchError, match="its first line is not one of tables with the header"):
        list(SignCorpus().rows(root / "a.csv", open_data_folder(root)))
