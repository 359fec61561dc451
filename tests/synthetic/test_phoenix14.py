import csv
import re
from itertools import pairwise

import pytest
from PIL import Image

from bench import synthetic
from bench.synthetic.signing import SIGNS

COUNT = 4
PARTS = ("train", "dev", "test")
ROOTS = {
    "phoenix14": "phoenix2014-release/phoenix-2014-multisigner",
    "phoenix14-si5": "phoenix2014-release/phoenix-2014-signerindependent-SI5",
    "phoenix14-t": "PHOENIX-2014-T-release-v3/PHOENIX-2014-T",
}
LISTS = {
    "phoenix14": "{}.corpus.csv",
    "phoenix14-si5": "{}.SI5.corpus.csv",
    "phoenix14-t": "PHOENIX-2014-T.{}.corpus.csv",
}


@pytest.fixture(scope="module", params=ROOTS)
def tree(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    synthetic.generate_dataset(request.param, out, COUNT)
    return request.param, out / ROOTS[request.param]


def listed(tree, part):
    name, root = tree
    file = root / "annotations" / "manual" / LISTS[name].format(part)
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows, delimiter="|"))


def frames(tree, part, row):
    name, root = tree
    pixels = root / "features" / "fullFrame-210x260px" / part
    if name == "phoenix14-t":
        return sorted((pixels / row["name"]).glob("images*.png"))
    return sorted(pixels.glob(row["folder"]))


def test_lists_divide_the_clips_as_the_real_ones_do(tree):
    sizes = [len(listed(tree, part)) for part in PARTS]
    assert sizes == [2, 1, 1]
    names = [next(iter(row.values())) for part in PARTS for row in listed(tree, part)]
    assert len({*names}) == COUNT


def test_clips_are_numbered_frames_of_210_by_260_pixels(tree):
    name, _ = tree
    pattern, first = (r"images(\d{4})", 1) if name == "phoenix14-t" else (r".*_fn(\d{6})-0", 0)
    for part in PARTS:
        for row in listed(tree, part):
            files = frames(tree, part, row)
            assert 16 <= len(files) <= 140
            numbers = [int(re.fullmatch(pattern, file.stem)[1]) for file in files]
            assert numbers == [*range(first, first + len(files))]
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (210, 260))


def test_glosses_and_signers(tree):
    name, _ = tree
    for part in PARTS:
        for row in listed(tree, part):
            glosses = row["orth" if name == "phoenix14-t" else "annotation"].split()
            signer = row["speaker" if name == "phoenix14-t" else "signer"]
            signs = [gloss for gloss in glosses if gloss not in {"__ON__", "__OFF__"}]
            assert 2 <= len(signs) <= 8
            assert {*signs} <= {*SIGNS}
            assert not any(a == b for a, b in pairwise(signs))
            assert re.fullmatch("Signer0[1-9]", signer)
            if name == "phoenix14-si5":
                assert (signer == "Signer05") == (part != "train")


def test_columns_are_the_real_ones(tree):
    name, _ = tree
    row = listed(tree, "train")[0]
    if name == "phoenix14-t":
        assert [*row] == ["name", "video", "start", "end", "speaker", "orth", "translation"]
        assert row["video"] == f"{row['name']}/1/*.png"
        assert (row["start"], row["end"]) == ("-1", "-1")
        assert re.fullmatch(r"01July_2009_Wednesday_heute-\d", row["name"])
        assert row["translation"] == f"{row['orth'].lower()} ."
    else:
        assert [*row] == ["id", "folder", "signer", "annotation"]
        assert row["folder"] == f"{row['id']}/1/*.png"
        assert re.fullmatch(r"01July_2009_Wednesday_heute_default-\d", row["id"])
