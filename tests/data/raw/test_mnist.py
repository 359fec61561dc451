"""The prepared files of MNIST."""

from __future__ import annotations

import gzip
import os

import pytest

from bench import synthetic
from bench.core.errors import BenchError, Exit
from bench.data.raw import mnist


def test_a_file_that_was_altered_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    folder = tmp_path / "seq-mnist-synthetic"
    synthetic.generate_dataset("seq-mnist", tmp_path / "source", 10)
    mnist.prepare_mnist(tmp_path / "source", folder, lambda *_: None, synthetic=True)
    assert {*mnist.read_mnist(folder)} == {"train", "test"}
    file = folder / "MNIST/raw/t10k-images-idx3-ubyte"
    for alter in (lambda: os.truncate(file, 100), file.unlink, lambda: os.mkfifo(file)):
        alter()
        with pytest.raises(BenchError, match="t10k-images-idx3-ubyte is missing or alt") as error:
            mnist.read_mnist(folder)
        assert error.value.code == Exit.UNVERIFIED


def _altered(source, name, content):
    file = next(source.rglob(f"{name}*"))
    file.unlink()
    file.with_name(f"{name}.gz").write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", gzip.compress(bytes(2**20)), "has more than 65,536 bytes"),
        ("train-images-idx3-ubyte", gzip.compress(bytes(16)), "is not an IDX file of images"),
        ("train-images-idx3-ubyte", b"", "is not an IDX file of images"),
        (
            "t10k-labels-idx1-ubyte",
            gzip.compress(b"\0\0\x08\x01"),
            "is not an IDX file of 1 digits",
        ),
        ("t10k-labels-idx1-ubyte", b"\x1f\x8b", "cannot be decompressed by gzip"),
        ("t10k-labels-idx1-ubyte", gzip.compress(bytes(99))[:-9], "cannot be decompressed by gzip"),
    ],
    # A gzip file contains its time, and parallel test processes need the same test names.
    ids=["bomb", "other images", "no images", "other labels", "no gzip", "half a gzip"],
)
def test_a_file_that_is_not_of_mnist_is_refused(tmp_path, monkeypatch, name, content, message):
    monkeypatch.setattr(mnist, "MAX_BYTES", 2**16)
    synthetic.generate_dataset("seq-mnist", tmp_path / "source", 10)
    _altered(tmp_path / "source", name, content)
    with pytest.raises(BenchError, match=message):
        mnist.prepare_mnist(tmp_path / "source", tmp_path / "x", lambda *_: None, synthetic=True)
