"""Whatever is in a file of MNIST."""

from __future__ import annotations

import gzip

import pytest
from fuzzing import contents, fuzzed, result_or_sentence
from hypothesis import given
from hypothesis import strategies as st

from bench import synthetic
from bench.data.raw import mnist


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("mnist")
    synthetic.generate_dataset("seq-mnist", root / "source", 7)
    return root / "source"


@fuzzed()
@given(st.data())
def test_any_file_of_digits_is_prepared_or_refused(source, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "seq-mnist-synthetic"
    file = source / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    before = file.read_bytes()
    plain = gzip.decompress(before)
    packed = contents(before) | contents(plain, words=(b"\x0a",)).map(gzip.compress)
    try:
        file.write_bytes(data.draw(packed))
        result_or_sentence(
            lambda: mnist.prepare_mnist(source, folder, lambda *_: None, synthetic=True)
        )
    finally:
        file.write_bytes(before)
