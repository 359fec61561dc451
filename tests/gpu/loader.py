"""How fast batches reach the device when nothing computes with them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

from bench.config import bench_toml
from bench.data.opening import open_training, training_encoder
from bench.data.reading.loading import BatchLoader
from bench.data.store import data_dir
from bench.trials import grid


def samples_per_second(home: Path, device: str) -> float:
    """Read an epoch of the suite `mnist` in `home` to the device, after one to warm up."""
    os.environ[data_dir.VARIABLE] = str(home / "data")
    suite = bench_toml.load(home / "bench.toml").suite("mnist")
    training = grid.trials(suite)[0].trainings[0]
    pipeline = open_training(
        training.data,
        training.input,
        training_encoder(training.data, training.alphabet),
        training.recipe.augmentation,
    )
    taken, samples = 0.0, 0
    with BatchLoader(pipeline, training.resources.workers, device) as loader:
        for epoch in (1, 2):
            batches = pipeline.batches("train", training.recipe.batch_size, seed=0, epoch=epoch)
            began, samples = time.perf_counter(), 0
            for batch in loader.read(batches):
                samples += len(batch.ids)
            if device == "cuda":
                torch.cuda.synchronize()
            taken = time.perf_counter() - began
    return samples / taken
