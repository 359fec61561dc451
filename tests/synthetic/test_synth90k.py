import hashlib
import re
from collections import Counter

import cv2
import numpy as np
import PIL
import pytest
from PIL import Image

from bench import synthetic

COUNT = 300


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("synth90k")
    synthetic.generate_dataset("synth90k", out, COUNT, difficulty="hard")
    return out / "mnt" / "ramdisk" / "max" / "90kDICT32px"


def rows(root, name):
    return [line.split(" ") for line in (root / name).read_text().splitlines()]


def test_lists_divide_the_images_as_the_real_ones_do(root):
    parts = [rows(root, f"annotation_{part}.txt") for part in ("train", "val", "test")]
    assert [len(part) for part in parts] == [243, 27, 30]
    listed = [path for part in parts for path, _ in part]
    assert [path for path, _ in rows(root, "annotation.txt")] == listed
    assert (root / "imlist.txt").read_text().splitlines() == listed
    on_disk = {f"./{file.relative_to(root).as_posix()}" for file in root.rglob("*.jpg")}
    assert on_disk == set(listed)


def test_names_have_the_word_of_their_number_in_one_of_three_cases(root):
    lexicon = (root / "lexicon.txt").read_text().splitlines()
    cases = Counter()
    for path, index in rows(root, "annotation.txt"):
        word, number = re.fullmatch(r"\./\d+/[1-7]/\d+_([A-Za-z0-9]+)_(\d+)\.jpg", path).groups()
        assert number == index
        assert word.lower() == lexicon[int(index)]
        assert word in {word.lower(), word.upper(), word.capitalize()}
        cases[word.islower(), word.isupper()] += bool(re.fullmatch(r"[A-Za-z]{2,}", word))
    assert min(cases[True, False], cases[False, True], cases[False, False]) > COUNT / 6


def test_the_lexicon_is_lower_case_sorted_and_has_every_character(root):
    lexicon = (root / "lexicon.txt").read_text().splitlines()
    assert lexicon == sorted(set(lexicon))
    assert len(lexicon) == 5000
    assert {*"".join(lexicon)} == {*"abcdefghijklmnopqrstuvwxyz0123456789"}
    assert max(map(len, lexicon)) == 23


def test_images_are_color_jpegs_of_one_height_and_varying_width(root):
    widths = {}
    for path, _ in rows(root, "annotation.txt"):
        with Image.open(root / path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            assert image.height in {31, 32}
            widths.setdefault(len(path.split("_")[1]), []).append(image.width)
    assert np.mean(widths[10]) > 1.3 * np.mean(widths[5])


def test_easy_words_are_few_short_and_in_capitals(tmp_path):
    synthetic.generate_dataset("synth90k", tmp_path, 60)
    root = tmp_path / "mnt" / "ramdisk" / "max" / "90kDICT32px"
    lexicon = (root / "lexicon.txt").read_text().splitlines()
    assert 20 < len(lexicon) < 100
    assert {len(word) for word in lexicon} == {3}
    for path, index in rows(root, "annotation.txt"):
        assert path.split("_")[1] == lexicon[int(index)].upper()
        with Image.open(root / path) as image:
            assert image.height in {31, 32}
            gray = np.asarray(image.convert("L"), float)
            assert gray.max() - gray.min() > 100
            assert np.median(gray) > 150 > gray[4:-4, 4:-4].min()


# Boards were made of these words; other versions of OpenCV and Pillow draw other bytes.
HARD = {0: "e9ef1da7bb77efbe", 3: "5354dcb6247a48e0"}


@pytest.mark.skipif(
    not (cv2.__version__.startswith("5.0.0") and PIL.__version__.startswith("13.0.")),
    reason="the checksums are those of OpenCV 5.0.0 and Pillow 13.0",
)
@pytest.mark.parametrize("seed", HARD)
def test_hard_words_are_those_of_the_committed_boards(tmp_path, seed):
    synthetic.generate_dataset("synth90k", tmp_path, 12, seed=seed, difficulty="hard")
    content = hashlib.sha256()
    for file in sorted(tmp_path.rglob("*")):
        if file.suffix in {".jpg", ".txt"}:
            content.update(file.name.encode() + file.read_bytes())
    assert content.hexdigest()[:16] == HARD[seed]
