"""Data sets of scene text: the splits that were prepared, their fingerprints and their alphabet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.core.errors import BenchError
from bench.data.datasets.scene_text_tests import IIIT5K, SVT
from bench.data.datasets.synth90k import Synth90k
from bench.data.store.prepared import Prepared
from bench.evaluation import protocols

from ..conftest import listed

Prepare = Callable[..., Prepared]


def test_a_data_set_has_the_splits_that_were_prepared(prepare: Prepare) -> None:
    prepare(listed(4, ["train", "validation", "test"]), "synth90k")
    prepare(listed(4, ["test"]), "svt")
    prepare(listed(4, ["train", "test"]), "iiit5k")
    assert Synth90k().splits() == ("train", "validation", "test")
    assert SVT().splits() == ("test",)
    assert IIIT5K().splits() == ("train", "test")


def test_each_split_has_its_own_fingerprint(prepare: Prepare) -> None:
    prepare(listed(4, ["train", "test"]), "iiit5k")
    before = {split: IIIT5K().fingerprint(split) for split in ("train", "test")}
    assert before["train"] != before["test"]
    layout = listed(4, ["train", "test"])
    layout.samples["train"].pop()
    prepare(layout, "svt")
    assert SVT().fingerprint("test") == before["test"]
    assert SVT().fingerprint("train") != before["train"]


def test_an_unprepared_data_set_is_reported_with_the_command(prepare: Prepare) -> None:
    with pytest.raises(BenchError, match=r"'svt' is not prepared.*bench data prepare svt"):
        SVT().splits()
    prepare(listed(4, ["test"]), "svt")
    with pytest.raises(BenchError, match="have no partition 'train', only test"):
        SVT().fingerprint("train")


def test_the_default_alphabet_is_str_36() -> None:
    assert (
        "".join(SVT().label_encoder(None).vocabulary) == protocols.find_protocol("str-36").charset
    )
    encoder = SVT().label_encoder(protocols.find_protocol("str-94"))
    assert encoder.tokens("Don't") == "Don't"
    assert len(encoder.vocabulary) == 94
