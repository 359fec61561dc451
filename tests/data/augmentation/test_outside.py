"""An augmentation of another package, by its entry point."""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from bench.config import bench_toml
from bench.core import registry
from bench.core.sources import _digest
from bench.trials import grid
from bench.trials.provenance import Device, collect

SOURCE = '''\
from dataclasses import dataclass
from typing import ClassVar

from bench.core.components import ClipAugmentation
from bench.core.schema import Fraction


@dataclass(frozen=True)
class Darker(ClipAugmentation):
    """Half of the clips darker."""

    name: ClassVar[str] = "darker"

    factor: Fraction = 0.5

    def augment(self, frames, generator):
        dark = generator.random() < 1 / 2
        return (frames * self.factor).astype(frames.dtype) if dark else frames
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    site = tmp_path / "site"
    info = site / "bench_darker-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-darker\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[bench.augmentation]\nd = bench_darker:Darker\n")
    (site / "bench_darker.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(site)
    registry._installed.cache_clear()
    _digest.cache_clear()
    yield site / "bench_darker.py"
    sys.modules.pop("bench_darker", None)
    registry._installed.cache_clear()


def test_a_plug_in_augmentation_is_listed_usable_and_part_of_the_key(installed, home, bench):
    assert "Half of the clips darker." in bench("ls", "augmentations").out
    file = home / "bench.toml"
    file.write_text(
        file.read_text().replace(
            "learning_rate = 0.01", 'learning_rate = 0.01\naugmentation = { name = "darker" }'
        )
    )
    [training, *_] = grid.trials(bench_toml.load(file).suite("tiny"))[0].trainings
    digest = sha256(SOURCE.encode()).hexdigest()
    assert training.spec["recipe"]["augmentation"] == {
        "name": "darker",
        "version": 1,
        "parameters": {"factor": 0.5},
        "source": {"file": "bench_darker.py", "sha256": digest},
    }
    assert training.recipe.augmentation in training.components
    provenance = collect(training.components, device=Device("cpu"), threads=1, seed=0)
    assert provenance.components["darker"].file == "bench_darker.py"
    assert any(source.startswith("data/augmentation/") for source in provenance.sources)
    plain = replace(training, recipe=replace(training.recipe, augmentation=None))
    sources = collect(plain.components, device=Device("cpu"), threads=1, seed=0).sources
    assert not any(source.startswith("data/augmentation/") for source in sources)
    assert "augmentation" not in plain.spec["recipe"]
    augmentation = training.recipe.augmentation
    frames = np.full((2, 3, 4, 3), 100, np.uint8)
    means = {
        float(augmentation.augment(frames, np.random.default_rng(seed)).mean()) for seed in range(9)
    }
    assert means == {50.0, 100.0}
