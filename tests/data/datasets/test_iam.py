"""IAM: lines divided by lists, with one fingerprint per split."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.core.errors import BenchError
from bench.data.datasets.iam import IAM
from bench.data.store.prepared import Prepared
from bench.evaluation import protocols

from ..conftest import Listed, jpeg

LINES = {
    "a01-003-00": "train",
    "a01-003-10": "train",  # left out of rwth-6161
    "c04-160-00": "validation",  # its form is left out of rwth-6161
    "c04-156-00": "validation",
    "c04-110-00": "test",
}


@pytest.fixture
def iam(prepare: Callable[..., Prepared]) -> None:
    layout = Listed({"lines": []}, columns=["ascii"])
    layout.samples["lines"] = [
        layout.image(name, "word.", jpeg(number))._replace(more={"ascii": "word ."})
        for number, name in enumerate(LINES)
    ]
    prepare(layout, "iam")


def ids(dataset: IAM, split: str) -> list[str]:
    selection = dataset.selection(split)
    return [selection.partition.value("id", row) for row in selection.rows.tolist()]


def test_lines_are_in_the_split_of_their_form(iam: None) -> None:
    for split in ("train", "validation", "test"):
        assert ids(IAM(), split) == [line for line, where in LINES.items() if where == split]
    assert ids(IAM(split="rwth-6161"), "train") == ["a01-003-00"]
    assert "c04-160-00" in ids(IAM(), "validation")
    assert "c04-160-00" not in ids(IAM(split="rwth-6161"), "validation")


def test_a_fingerprint_changes_only_with_the_list_of_its_split(iam: None) -> None:
    larger, smaller = IAM(), IAM(split="rwth-6161")
    same = {split: larger.fingerprint(split) == smaller.fingerprint(split) for split in SPLITS}
    assert same == {"train": False, "validation": False, "test": True}
    assert len({larger.fingerprint(split) for split in SPLITS}) == 3
    assert IAM(spacing="ascii").fingerprint("test") != larger.fingerprint("test")
    assert IAM(split="iam-b").fingerprint("test") == larger.fingerprint("test")


SPLITS = ("train", "validation", "test")


def test_either_transcript_is_read(iam: None) -> None:
    assert {*IAM().selection("train").texts()} == {"word."}
    assert {*IAM(spacing="ascii").selection("train").texts()} == {"word ."}


def test_the_default_alphabet_has_79_characters(iam: None) -> None:
    assert len(IAM().label_encoder(None).vocabulary) == 79
    assert len(IAM().label_encoder(protocols.find_protocol("str-94")).vocabulary) == 94
    with pytest.raises(BenchError, match="'htr-raw' lists no characters"):
        IAM().label_encoder(protocols.find_protocol("htr-raw"))
