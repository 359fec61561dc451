"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from torch.amp import GradScaler

from bench.training import optimizers
from bench.trials.events import Progress, Validated
from bench.trials.records import Epoch

if TYPE_CHECKING:
    from bench.config.recipe import Recipe, Resources
    from bench.core.types import Batch, Batches, InputPipeline
    from bench.data.reading.loading import BatchLoader
    from bench.training.step import TrainingStep

_REPORT_SECONDS = 0.5


class DivergedError(Exception):
    """The loss stopped being a finite number."""


class Training(Protocol):
    """What the trainer reads of the specification of a training."""

    @property
    def recipe(self) -> Recipe:
        """How the network is trained."""
        ...

    @property
    def resources(self) -> Resources:
        """What the training reserves."""
        ...

    def named_seed(self, purpose: str) -> int:
        """Return a seed for one purpose."""
        ...


@dataclass
class Trainer:
    """The training of one network: iterate `run` to its end, then `curve` and weights are complete.

    A fresh trainer that restores the `state` of another one ends in the same bits on a CPU.

    Attributes:
        training: The recipe, the resources and the seeds.
        step: The network under its loss, on `device`.
        pipeline: Where the batches of `train` come from.
        loader: Reads them, to `device`.
        device: "cpu" or "cuda".
        validate: Returns the label error rate of the current weights on the validation split.
        save: Is given `state()` after an epoch that ends `checkpoint_every` seconds after the last
            checkpoint, unless it is the last epoch.
        curve: One entry per finished epoch.
        selected_epoch: The epoch whose weights the recipe selects, from 1; 0 before the first.
        weights: The weights of `selected_epoch`, on the CPU.
        last_weights: Those of the last epoch where another one was selected, else empty.
        training_seconds: Wall time of the epochs, those before a `restore` included.
        validation_seconds: Wall time of `validate`, likewise.
    """

    training: Training
    step: TrainingStep
    pipeline: InputPipeline
    loader: BatchLoader
    device: str
    validate: Callable[[], float]
    save: Callable[[dict[str, Any]], None]
    curve: list[Epoch] = field(default_factory=list)
    selected_epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    last_weights: dict[str, Tensor] = field(default_factory=dict)
    training_seconds: float = 0.0
    validation_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Make the optimizer and its schedule, and start the clocks."""
        self._recipe = recipe = self.training.recipe
        self._network = self.step.network
        steps = math.ceil(len(self._batches(1)) / recipe.accumulate)
        self._optimizer = optimizers.optimizer(recipe, self._network.parameters())
        self._schedule = optimizers.schedule(recipe, self._optimizer, steps)
        self._scaler = GradScaler(self.device, enabled=recipe.precision == "fp16")
        self._began = self._saved = time.perf_counter()
        self._reported = self._restored_fraction = self._rate = 0.0
        self._infeasible = 0

    def run(self) -> Iterator[Progress | Validated]:
        """Train the recipe's epochs; report the progress about twice a second."""
        while not self._ended():
            number, started = len(self.curve) + 1, time.perf_counter()
            loss = yield from self._epoch(number)
            trained = time.perf_counter()
            rate = self.validate()
            ended = time.perf_counter()
            self.training_seconds += trained - started
            self.validation_seconds += ended - trained
            self.curve.append(Epoch(number, loss, self._rate, rate, self._infeasible))
            self._select(number)
            due = ended - self._saved >= self.training.resources.checkpoint_every
            if due and not self._ended():
                self.save(self.state())
                self._saved = ended
            yield Validated(number, rate, self.curve[self.selected_epoch - 1].validation_ler)
        if self.selected_epoch < len(self.curve):
            self.last_weights = self._copy_weights()

    def state(self) -> dict[str, Any]:
        """Return all that the remaining epochs depend on, as tensors and plain values."""
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
            "curve": [asdict(epoch) for epoch in self.curve],
            "selected_epoch": self.selected_epoch,
            "weights": self.weights,
            "seconds": [self.training_seconds, self.validation_seconds],
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.device == "cuda" else [],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the checkpoint `state`.

        Raises:
            RuntimeError, KeyError, ValueError: `state` is not one of this network and recipe.
        """
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._scaler.load_state_dict(state["scaler"])
        self.curve = [Epoch(**epoch) for epoch in state["curve"]]
        self.selected_epoch = state["selected_epoch"]
        self.weights = state["weights"]
        self.training_seconds, self.validation_seconds = state["seconds"]
        torch.set_rng_state(state["random"])
        if self.device == "cuda":
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self._restored_fraction = len(self.curve) / self._recipe.epochs

    def _ended(self) -> bool:
        """Return whether no epoch is left, or the recipe's patience is exhausted."""
        recipe, rates = self._recipe, [epoch.validation_ler for epoch in self.curve]
        if not recipe.patience or not rates:
            return len(rates) == recipe.epochs
        best = rates.index(min(rates)) + 1
        return len(rates) in {recipe.epochs, best + recipe.patience}

    def _batches(self, number: int) -> Batches:
        seed = self.training.named_seed("batches")
        return self.pipeline.batches("train", self._recipe.batch_size, seed=seed, epoch=number)

    def _epoch(self, number: int) -> Generator[Progress, None, float]:
        """Train one epoch; the generator's value is the mean loss over its batches."""
        self.step.train()
        batches = self._batches(number)
        reader = self.loader.read(batches)
        total, done, samples, started = 0.0, 0, 0, time.perf_counter()
        self._infeasible = 0
        while group := list(islice(reader, self._recipe.accumulate)):
            self._optimizer.zero_grad()
            size = sum(len(batch.ids) for batch in group)
            for batch in group:
                total += self._accumulate(batch, len(batch.ids) / size)
                done, samples = done + 1, samples + len(batch.ids)
                now = time.perf_counter()
                if now - self._reported >= _REPORT_SECONDS or done == len(batches):
                    self._reported = now
                    speed = samples / (now - started)
                    yield self._progress(number, done / len(batches), total / done, speed)
            self._update()
        self.step.end_epoch()
        return total / done

    def _accumulate(self, batch: Batch, share: float) -> float:
        """Add the gradients of a batch, times its share of the update; return its loss."""
        loss, infeasible = self.step(batch)
        self._scaler.scale(loss * share).backward()
        value: float = loss.item()
        self._infeasible += int(infeasible)
        if not math.isfinite(value):
            raise DivergedError(f"the loss became {value} on samples {', '.join(batch.ids)}")
        return value

    def _update(self) -> None:
        """Update the weights by the accumulated gradients."""
        if bound := self._recipe.gradient_clip:
            self._scaler.unscale_(self._optimizer)
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), bound)
        self._rate = float(self._optimizer.param_groups[0]["lr"])
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.step()

    def _progress(self, number: int, share: float, loss: float, speed: float) -> Progress:
        epochs = self._recipe.epochs
        fraction = (number - 1 + share) / epochs
        elapsed = time.perf_counter() - self._began
        return Progress(
            epoch=number,
            epochs=epochs,
            fraction=fraction,
            loss=loss,
            speed=speed,
            eta=elapsed * (1 - fraction) / (fraction - self._restored_fraction),
            validation_ler=self.curve[-1].validation_ler if self.curve else None,
        )

    def _select(self, number: int) -> None:
        """Keep the current weights if the recipe selects this epoch."""
        rates = [epoch.validation_ler for epoch in self.curve]
        if self._recipe.select == "last" or rates[-1] < min(rates[:-1], default=math.inf):
            self.selected_epoch, self.weights = number, self._copy_weights()

    def _copy_weights(self) -> dict[str, Tensor]:
        """Return a copy of the current weights on the CPU, as they are stored."""
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in self._network.state_dict().items()
        }
