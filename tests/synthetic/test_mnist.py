import gzip

import numpy as np
import pytest
from torchvision.datasets import MNIST

from bench import synthetic


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("mnist")
    synthetic.generate_dataset("seq-mnist", out, 700)
    for file in (out / "MNIST" / "raw").glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
    return out


def test_torchvision_reads_it(root):
    train, test = (MNIST(root, train=train) for train in (True, False))
    assert (len(train), len(test)) == (600, 100)
    assert train.data.shape == (600, 28, 28)
    assert {*train.targets.tolist()} == {*range(10)}


def test_the_mass_of_a_digit_is_in_the_middle_and_none_at_the_border(root):
    images = MNIST(root, train=True).data.numpy()
    for image in images:
        mass = np.stack(np.meshgrid(range(28), range(28), indexing="ij")) * image
        centre = mass.sum((1, 2)) / image.sum()
        assert np.abs(centre - 13.5).max() < 1
        assert not image[[0, -1]].any()
        assert not image[:, [0, -1]].any()


def test_digits_are_classified_by_their_nearest_neighbor(root):
    train, test = (MNIST(root, train=train) for train in (True, False))
    seen, asked = (part.data.flatten(1).float() for part in (train, test))
    read = train.targets[(asked[:, None] - seen).square().sum(2).argmin(1)]
    assert (read == test.targets).float().mean() > 0.9
