"""Scene text in either form: the nearest one is prepared."""

from __future__ import annotations

import shutil

import lmdb
import pytest

from bench.core.errors import BenchError
from bench.data.raw.annotations import Annotations
from bench.data.raw.archives import unpacked
from bench.data.raw.lmdb_release import LmdbRelease
from bench.data.raw.word_images import tree_or_lmdb
from bench.data.store import preparing
from bench.data.store.partition import Partition

from .conftest import png

FOLDERS = {"train": ("MJ/MJ_train", "MJ_train"), "test": ("MJ/MJ_test", "MJ_test")}


def database(folder, words):
    folder.mkdir(parents=True)
    with (
        lmdb.open(str(folder), map_size=2**24) as environment,
        environment.begin(write=True) as transaction,
    ):
        transaction.put(b"num-samples", b"%d" % len(words))
        for number, word in enumerate(words, 1):
            transaction.put(b"label-%09d" % number, word.encode())
            transaction.put(b"image-%09d" % number, png(30, 10, number))


def test_the_nearest_form_is_chosen(write):
    root = write({"tree/annotation_train.txt": "./1/1_w_0.jpg 0", "tree/1/x": "", "readme": ""})
    database(root / "lmdb" / "MJ" / "MJ_train", ["w"])
    for named, kind in {"tree": Annotations, "tree/1": Annotations, "lmdb": LmdbRelease}.items():
        assert type(tree_or_lmdb("synth90k", root / named, FOLDERS)) is kind


def test_neither_form_is_an_error_that_names_both(write):
    with pytest.raises(BenchError) as raised:
        tree_or_lmdb("synth90k", write({"readme": ""}), FOLDERS)
    for name in ("'synth90k'", "annotation_train.txt", "MJ/MJ_train", "MJ/MJ_test"):
        assert name in str(raised.value)


def test_only_synth90k_has_a_list_of_unreadable_images(write):
    row = "./2069/4/192_whittier_86389.jpg 86389"
    root = write({"annotation_train.txt": row})
    [found] = tree_or_lmdb("synth90k", root, FOLDERS).entries("train")
    assert found.reason == "an image that is known to be unreadable"
    [found] = tree_or_lmdb("synthtext", root, FOLDERS).entries("train")
    assert found.text == "whittier"


@pytest.mark.parametrize("packed", [False, True])
def test_a_prepared_lmdb_is_read_beside_the_release_and_after_an_archive(
    tmp_path, monkeypatch, packed
):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    source = tmp_path / "release"
    database(source / "MJ_train", ["one", "two"])
    if packed:
        source = shutil.make_archive(str(source), "tar", source)
    with unpacked(tmp_path / source, tmp_path / "data") as folder:
        layout = tree_or_lmdb("words", folder, {"train": ("MJ_train",)})
        preparing.prepare(layout, folder, tmp_path / "data" / "words", lambda *_: None, clips=False)
        assert Partition("words", "train").pixels(0, 1).shape == (10, 30)
    found = Partition("words", "train")
    assert found.column("text").to_pylist() == ["one", "two"]
    assert found.encoded(1) == [png(30, 10, 2)]
    assert (found.folder / "data.mdb").is_symlink() == (not packed)
