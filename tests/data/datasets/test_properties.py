"""The properties of samples beside their transcripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import synthetic
from bench.data.datasets.iam import IAM
from bench.data.datasets.phoenix14 import Phoenix14
from bench.data.datasets.scene_text_tests import CUTE80
from bench.data.reading.encoded_samples import encoded_samples
from bench.data.store.prepared import Prepared

from ..conftest import listed

LINES = {"train": 8, "validation": 3, "test": 3}


@pytest.fixture(scope="module")
def iam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("iam")
    synthetic.generate_dataset("iam", source, sum(LINES.values()))
    return source


def test_lines_have_the_writer_in_the_xml_of_their_form(iam: Path, folder: Path) -> None:
    dataset = IAM(synthetic=True)
    dataset.prepare(iam, lambda *_: None)
    writers = {
        file.stem: file.read_text().partition('writer-id="')[2][:3]
        for file in iam.glob("xml/*.xml")
    }
    assert len({*writers.values()}) > 2
    for split in dataset.splits():
        forms = [line.rpartition("-")[0] for line in dataset.selection(split).ids()]
        known = dataset.properties(split)
        assert known["writer"] == [writers[form] for form in forms]
        assert [*known] == ["width", "height", "writer"]
    before = dataset.fingerprint("test")
    (dataset.folder / "writers.txt").unlink()
    assert [*dataset.properties("test")] == ["width", "height"]
    assert dataset.fingerprint("test") == before
    dataset.prepare(iam, lambda *_: None)
    assert [*dataset.properties("test")] == ["width", "height", "writer"]


def test_clips_have_their_signer_and_number_of_frames(tmp_path: Path, folder: Path) -> None:
    synthetic.generate_dataset("phoenix14", tmp_path / "raw", 4)
    dataset = Phoenix14(synthetic=True)
    dataset.prepare(tmp_path / "raw", lambda *_: None)
    known = dataset.properties("train")
    clips = [*encoded_samples(dataset, "train")]
    assert known["frames"] == [len(clip.images) for clip in clips]
    assert [*known] == ["frames", "signer"]
    assert len(known["signer"]) == len(clips) == 2
    assert all(known["signer"])


def test_pictures_have_their_size_and_source(
    prepare: Callable[..., Prepared], folder: Path
) -> None:
    layout = listed(3, parts=["test"], columns=["source", "page"])
    layout.samples["test"] = [
        each._replace(more={"source": f"archive {n % 2}", "page": f"{n}"})
        for n, each in enumerate(layout.samples["test"])
    ]
    prepare(layout, "cute80")
    shapes = np.array([each.pixels().shape[:2] for each in encoded_samples(CUTE80())])
    assert CUTE80().properties("test") == {
        "width": shapes[:, 1].tolist(),
        "height": shapes[:, 0].tolist(),
        "source": ["archive 0", "archive 1", "archive 0"],
    }
