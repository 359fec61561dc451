import tomllib
import tracemalloc

import pytest

from bench import synthetic
from bench.core.errors import BenchError

FEW = {"synth90k": 12, "iam": 9, "seq-mnist": 30}


def few(name):
    return FEW.get(name, 3)


def content(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def marker(folder):
    return tomllib.loads((folder / "SYNTHETIC.toml").read_text())


@pytest.mark.parametrize("name", ["iam", "seq-mnist", "phoenix14", "synth90k"])
def test_the_same_arguments_give_the_same_bytes(name, tmp_path):
    told = []
    for folder in ("new/folder", "again"):
        synthetic.generate_dataset(name, tmp_path / folder, few(name), seed=7, advance=told.append)
    first, again = (content(tmp_path / folder) for folder in ("new/folder", "again"))
    assert sum(told) == 2 * few(name)
    assert first == again
    about = marker(tmp_path / "again")
    assert "not the real data" in about.pop("about")
    assert about == {
        "name": name,
        "count": few(name),
        "seed": 7,
        "difficulty": "easy",
        "version": 1,
        "complete": True,
    }


@pytest.mark.parametrize("name", ["iam", "seq-mnist"])
def test_another_seed_gives_other_images(name, tmp_path):
    for seed in (0, 1):
        synthetic.generate_dataset(name, tmp_path / str(seed), few(name), seed=seed)
    first, other = (content(tmp_path / folder) for folder in ("0", "1"))
    pictures = [file for file in first if file.endswith((".png", ".jpg", "images-idx3-ubyte.gz"))]
    assert pictures
    assert all(first[file] != other.get(file) for file in pictures)


@pytest.mark.parametrize("name", ["iam", "seq-mnist", "phoenix14"])
def test_an_incomplete_tree_is_refused(name, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.generate_dataset(name, tmp_path, few(name), advance=interrupt)
    assert not marker(tmp_path)["complete"]
    with pytest.raises(BenchError, match="was interrupted; run `bench data synth` again"):
        synthetic.is_marked(tmp_path)


@pytest.mark.parametrize("name", sorted({*synthetic.NAMES} - {"iiit5k"}))
def test_too_few_samples_for_the_splits(name, tmp_path):
    with pytest.raises(BenchError, match=f"synthetic {name}: 1 samples are too few for train"):
        synthetic.generate_dataset(name, tmp_path, 1)


def test_only_words_can_be_hard(tmp_path):
    with pytest.raises(BenchError, match="'iam' has no difficulty 'hard'"):
        synthetic.generate_dataset("iam", tmp_path / "out", 10, difficulty="hard")
    assert not (tmp_path / "out").exists()


def test_a_wrong_name_is_an_error_with_the_nearest_name(tmp_path):
    with pytest.raises(BenchError, match="data set 'synth9k'; did you mean 'synth90k'"):
        synthetic.generate_dataset("synth9k", tmp_path / "out", 10)
    assert not (tmp_path / "out").exists()


def test_a_complete_tree_is_marked_and_real_data_are_not(tmp_path):
    assert not synthetic.is_marked(tmp_path)
    synthetic.generate_dataset("seq-mnist", tmp_path, 20)
    assert synthetic.is_marked(tmp_path)


def test_files_in_a_folder_are_not_overwritten(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "note.txt"):
        with pytest.raises(BenchError, match="not an empty folder; name another"):
            synthetic.generate_dataset("seq-mnist", out, 20)
    assert content(tmp_path) == {"note.txt": b"mine"}


@pytest.mark.parametrize("name", ["synth90k", "iam"])
def test_samples_are_on_disk_when_progress_is_reported(name, tmp_path):
    files = []

    def count(_):
        files.append(sum(file.suffix in {".jpg", ".png"} for file in tmp_path.rglob("*")))

    synthetic.generate_dataset(name, tmp_path, few(name), advance=count)
    assert len(files) > 2
    assert files == sorted({*files})


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path):
    kept = []

    def watch(_):
        if not kept:
            tracemalloc.start()
        kept.append(tracemalloc.get_traced_memory()[0])

    synthetic.generate_dataset("phoenix14", tmp_path, 4, advance=watch)
    tracemalloc.stop()
    one_frame = 210 * 260 * 3
    assert max(kept) < 4 * one_frame


@pytest.mark.parametrize("place", [".", "mnt/ramdisk/max/90kDICT32px", ".."])
def test_a_synthetic_data_set_is_recognized_from_any_folder(tmp_path, place):
    synthetic.generate_dataset("synth90k", tmp_path / "words", 3)
    assert synthetic.is_marked(tmp_path / "words" / place)
    assert not synthetic.is_marked(tmp_path.parent / "elsewhere")


def test_an_interrupted_data_set_is_refused(tmp_path):
    def stop(_done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.generate_dataset("synth90k", tmp_path / "words", 30, advance=stop)
    with pytest.raises(BenchError, match="was interrupted"):
        synthetic.is_marked(tmp_path / "words")


@pytest.mark.parametrize("content", ["complete =", 'name = "iam"', "\udcff"])
def test_an_invalid_marker_is_refused(tmp_path, content):
    (tmp_path / synthetic.MARKER).write_text(content, errors="surrogateescape")
    with pytest.raises(BenchError, match="is not a valid marker of a synthetic data set"):
        synthetic.is_marked(tmp_path)
