"""Reading of files of weights, and errors of wrong files."""

from __future__ import annotations

import pickle
import random
from hashlib import sha256

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.core.errors import BenchError
from bench.recognizers.networks.weight_files import check_digest, read_weights

WEIGHTS = {"a": torch.arange(3.0), "b.c": torch.ones(2, 2)}


def same(digest):
    return {name: value.tolist() for name, value in digest.items()} == {
        name: value.tolist() for name, value in WEIGHTS.items()
    }


def saved(tmp_path, content):
    torch.save(content, tmp_path / "weights.pth")
    return str(tmp_path / "weights.pth")


def test_safetensors(tmp_path):
    save_file(WEIGHTS, tmp_path / "weights.safetensors")
    assert same(read_weights(str(tmp_path / "weights.safetensors"), "weights"))


@pytest.mark.parametrize(
    "content",
    [
        WEIGHTS,
        {"state_dict": WEIGHTS, "epoch": 3},
        {"model": WEIGHTS, "optimizer": {"state": {}, "lr": 1e-3}, "best_acc": 0.5},
        {
            "model_state_dict": WEIGHTS,
            "rng_state": {"numpy": np.random.RandomState(0).get_state(), "py": random.getstate()},
        },
    ],
)
def test_checkpoints(tmp_path, content):
    assert same(read_weights(saved(tmp_path, content), "weights"))


class Dangerous:
    """An object whose unpickling would run code."""

    def __reduce__(self):
        return (print, ("executed",))


def test_pickled_objects_are_not_loaded(tmp_path, capsys):
    path = saved(tmp_path, {"a": torch.ones(1), "x": Dangerous()})
    with pytest.raises(BenchError, match="has pickled objects other than tensors"):
        read_weights(path, "weights")
    assert "executed" not in capsys.readouterr().out


def test_a_whole_module_is_not_loaded(tmp_path):
    path = saved(tmp_path, torch.nn.Linear(2, 2))
    with pytest.raises(BenchError, match="save its state dict alone"):
        read_weights(path, "weights")


@pytest.mark.parametrize("content", [b"", b"no weights at all", pickle.dumps([1, 2])])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_other_files_are_an_error(tmp_path, content, suffix):
    file = tmp_path / f"weights.{suffix}"
    file.write_bytes(content)
    with pytest.raises(BenchError):
        read_weights(str(file), "weights of recognizer 'weights'")


def test_a_file_without_weights_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="of weights has no weights; save a dictionary of tensors"):
        read_weights(saved(tmp_path, {"epoch": 3}), "weights")


def test_a_wrong_digest_is_named(tmp_path):
    path = saved(tmp_path, WEIGHTS)
    digest = sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    check_digest(path, "weights", digest.upper())
    with pytest.raises(
        BenchError, match=f"has the SHA-256 {digest}, not sha256 = '12ab'; download"
    ):
        check_digest(path, "weights", "12ab")
