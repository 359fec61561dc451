"""The files of MNIST, once they were prepared."""

from __future__ import annotations

import os

import pytest

from bench import synthetic
from bench.core.errors import BenchError, Exit
from bench.data.raw import mnist


def test_a_file_that_was_altered_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    folder = tmp_path / "seq-mnist-synthetic"
    synthetic.generate("seq-mnist", tmp_path / "source", 10)
    mnist.prepare(tmp_path / "source", folder, lambda *_: None, synthetic=True)
    assert {*mnist.scans(folder)} == {"train", "test"}
    os.truncate(folder / "MNIST/raw/t10k-images-idx3-ubyte", 100)
    with pytest.raises(BenchError, match="t10k-images-idx3-ubyte is missing or altered") as error:
        mnist.scans(folder)
    assert error.value.code == Exit.UNVERIFIED
