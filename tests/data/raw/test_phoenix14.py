"""PHOENIX14 and PHOENIX14 T: tables, and the order and the size of frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.phoenix14 import Phoenix14Reader
from bench.data.raw.phoenix14_t import Phoenix14TReader

from .conftest import png

HEADER = "id|folder|signer|annotation\n"
BROKEN = "13April_2011_Wednesday_tagesschau_default-14"
FEATURES = "features/fullFrame-210x260px"
LOSS = 2.5
"""The mean difference by JPEG; that of another interpolation is larger."""


def release(rows="", part="train", suffix="", frames=()):
    """Return the files of a corpus whose partition `part` has these rows."""
    files = dict(frames)
    for split in ("train", "dev", "test"):
        table = HEADER + (rows if split == part else "")
        files[f"annotations/manual/{split}{suffix}.corpus.csv"] = table
        files[f"{FEATURES}/{split}/.keep"] = ""
    return files


def one(root, part="train"):
    [found] = Phoenix14Reader(root, "multisigner").entries(part)
    return found


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_a_sample_has_glosses_signer_and_folder(write):
    root = write(release("x-1|x-1/1/*.png|Signer04|__ON__ WETTER loc-NORD \n"))
    layout = Phoenix14Reader(root, "multisigner")
    assert layout.parts == ("train", "validation", "test")
    assert layout.columns == ("signer", "folder")
    [found] = layout.entries("train")
    assert (found.id, found.text) == ("x-1", "__ON__ WETTER loc-NORD")
    assert found.more == {"signer": "Signer04", "folder": "x-1/1/*.png"}


def test_validation_is_the_split_dev_of_the_release(write):
    assert one(write(release("x|x/1/*.png|Signer01|A B", part="dev")), "validation").text == "A B"


def test_frames_are_all_that_match_in_natural_order_at_256_by_256(write):
    folder = f"{FEATURES}/test/x/1"
    frames = {f"{folder}/x_fn{n}-0.png": png(21, 26, n) for n in (10, 9, 2)}
    others = {f"{folder}/notes.txt": "", f"{FEATURES}/test/x/x_fn1-0.png": png(21, 26)}
    root = write(release("x|x/1/*.png|S|A", "test", frames=frames | others))
    found = one(root, "test").load()
    assert len(found) == 3
    for content, number in zip(found, (2, 9, 10), strict=True):
        assert content.startswith(b"\xff\xd8\xff")
        scaled = cv2.resize(
            decoded(png(21, 26, number)), (256, 256), interpolation=cv2.INTER_LANCZOS4
        )
        assert np.abs(decoded(content).astype(int) - scaled).mean() < LOSS
        assert decoded(content).shape == (256, 256, 3)


@pytest.mark.parametrize("frames", [{}, {f"{FEATURES}/train/x/1/notes.txt": ""}])
def test_a_clip_without_frames_is_refused(write, frames):
    found = one(write(release("x|x/1/*.png|S|A", frames=frames)))
    with pytest.raises(SampleError, match="no frames"):
        found.load()


@pytest.mark.parametrize(
    ("content", "fault"), [(b"", "an empty file"), (b"x", "cannot be decoded")]
)
def test_a_clip_with_a_broken_frame_is_refused(write, content, fault):
    frames = {f"{FEATURES}/train/x/1/1.png": png(21, 26), f"{FEATURES}/train/x/1/2.png": content}
    found = one(write(release("x|x/1/*.png|S|A", frames=frames)))
    with pytest.raises(SampleError, match=f"a frame that is .*{fault}"):
        found.load()


def test_the_broken_sample_is_rejected_only_in_training(write):
    row = f"{BROKEN}|{BROKEN}/1/*.png|Signer05|A B"
    assert one(write(release(row))) == Rejected(BROKEN, "a sample that is known to be broken")
    assert one(write(release(row, "test")), "test").text == "A B"


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        ("x|x/1/*.png|S", "train.corpus.csv:3", "a row that does not have 4 columns"),
        ("x|x/1/*.png|S|A|B", "train.corpus.csv:3", "a row that does not have 4 columns"),
        (b"x|x/1/*.png|S|\xff", "train.corpus.csv:3", "a row that is not UTF-8"),
        ("|x/1/*.png|S|A", "train.corpus.csv:3", "a row without a name or without glosses"),
        ("x|x/1/*.png|S| ", "x", "a row without a name or without glosses"),
        ("x|../../*.png|S|A", "x", "a path out of the data set's folder"),
        ("x|/etc/*|S|A", "x", "a path out of the data set's folder"),
    ],
)
def test_a_row_that_is_not_a_sample_is_named(write, row, name, reason):
    content = (row.encode() if isinstance(row, str) else row) + b"\ny|y/1/*.png|S|A"
    root = write(release())
    write({"annotations/manual/train.corpus.csv": HEADER.encode() + b"\n" + content})
    first, second = Phoenix14Reader(root, "multisigner").entries("train")
    assert first == Rejected(name, reason)
    assert second.id == "y"


@pytest.mark.parametrize(
    "header", ["", "x|x/1/*.png|Signer04|A\n", "id,folder,signer,annotation\n"]
)
def test_a_table_with_another_header_is_an_error(write, header):
    root = write(release() | {"annotations/manual/dev.corpus.csv": header})
    with pytest.raises(BenchError, match=r"dev.corpus.csv: its first line is not id\|folder"):
        list(Phoenix14Reader(root, "multisigner").entries("validation"))


def test_a_table_without_rows_is_an_error(write):
    root = write(release() | {"annotations/manual/dev.corpus.csv": f"{HEADER}\n\n"})
    with pytest.raises(BenchError, match=r"dev.corpus.csv lists no sample"):
        list(Phoenix14Reader(root, "multisigner").entries("validation"))


def test_an_incomplete_release_is_an_error(write):
    files = {name: content for name, content in release().items() if "dev" not in name}
    with pytest.raises(BenchError) as raised:
        Phoenix14Reader(write(files), "multisigner")
    assert "no annotations/manual/dev.corpus.csv, no features" in str(raised.value)


def test_another_folder_is_an_error(write):
    with pytest.raises(BenchError, match=r"not all of PHOENIX14 SI5, .* folder phoenix-2014-s"):
        Phoenix14Reader(write(release()), "si5")


@pytest.mark.parametrize("named", ["", "phoenix2014-release", "phoenix2014-release/{}/annotations"])
@pytest.mark.parametrize(
    ("edition", "folder", "suffix"),
    [
        ("multisigner", "phoenix-2014-multisigner", ""),
        ("si5", "phoenix-2014-signerindependent-SI5", ".SI5"),
    ],
)
def test_each_edition_is_found_in_the_release(write, edition, folder, suffix, named):
    both = {
        "phoenix-2014-multisigner": release("m|m/1/*.png|S|MULTI"),
        "phoenix-2014-signerindependent-SI5": release("s|s/1/*.png|S|SI5", suffix=".SI5"),
    }
    root = write({"LICENSE.txt": ""} | {
        f"phoenix2014-release/{name}/{file}": content
        for name, files in both.items() for file, content in files.items()
    })  # fmt: skip
    [found] = Phoenix14Reader(root / named.format(folder), edition).entries("train")
    assert found.text == ("SI5" if suffix else "MULTI")


HEADER_T = "name|video|start|end|speaker|orth|translation\n"


@pytest.mark.parametrize("below", ["", "/1"])
def test_phoenix14_t_has_frames_in_either_folder(write, below):
    row = "y-2|y-2/1/*.png|-1|-1|Signer08|DRUCK TIEF KOMMEN|tiefer luftdruck\n"
    files = {f"annotations/manual/PHOENIX-2014-T.{s}.corpus.csv": HEADER_T for s in ("dev", "test")}
    files["annotations/manual/PHOENIX-2014-T.train.corpus.csv"] = HEADER_T + row
    files |= {f"{FEATURES}/{split}/.keep": "" for split in ("train", "dev", "test")}
    files |= {f"{FEATURES}/train/y-2{below}/images{n:04}.png": png(21, 26, n) for n in (1, 2)}
    root = write({f"PHOENIX-2014-T-release-v3/PHOENIX-2014-T/{n}": c for n, c in files.items()})
    [found] = Phoenix14TReader(root).entries("train")
    assert (found.id, found.text) == ("y-2", "DRUCK TIEF KOMMEN")
    assert found.more == {"signer": "Signer08", "folder": "y-2/1/*.png"}
    assert len(found.load()) == 2
