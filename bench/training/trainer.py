"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.amp import GradScaler

from bench.data.reading.loading import read
from bench.training import optimizers
from bench.trials.events import Progress, Validated
from bench.trials.store import Epoch, Record

if TYPE_CHECKING:
    from bench.core.types import Batch, Batches, InputPipeline
    from bench.evaluation.metrics.error_rates import ErrorRates
    from bench.recognizers.network import Recognizer
    from bench.trials.grid import Trial

_REPORT_SECONDS = 0.5


class DivergedError(Exception):
    """The loss stopped being a finite number."""


@dataclass
class Fit:
    """One trial's training: iterate `run` to its end, then `curve` and weights are complete.

    `validate` scores the validation split with the current weights; the test split is unknown here.
    `weights` are those of `selected_epoch`, as the recipe selects it; `last_weights` those of the
    last epoch where that is another one, and empty otherwise. `save` is given `state()`
    after some of the epochs; a fresh `Fit` that `restore`s it goes on to the same bits on a CPU.
    One that `adopt`s the training of another trial has nothing to run.
    """

    trial: Trial
    network: Recognizer
    source: InputPipeline
    device: str
    validate: Callable[[], ErrorRates]
    save: Callable[[dict[str, Any]], None]
    curve: list[Epoch] = field(default_factory=list)
    selected_epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    last_weights: dict[str, Tensor] = field(default_factory=dict)
    training_seconds: float = 0.0
    validation_seconds: float = 0.0
    adopted: str = ""

    def __post_init__(self) -> None:
        """Make the optimizer and its schedule, and start the clocks."""
        recipe = self.trial.training
        steps = math.ceil(len(self._batches(1)) / recipe.accumulate)
        self._optimizer = optimizers.optimizer(recipe, self.network.parameters())
        self._schedule = optimizers.schedule(recipe, self._optimizer, steps)
        # Without fp16 it does nothing.
        self._scaler = GradScaler(self.device, enabled=recipe.precision == "fp16")
        self._began = self._saved = time.perf_counter()
        self._reported = self._skipped = self._rate = 0.0
        self._infeasible = 0

    def run(self) -> Iterator[Progress | Validated]:
        """Train for the recipe's epochs, saying about twice a second how far it is."""
        while not self._ended():
            number, started = len(self.curve) + 1, time.perf_counter()
            loss = yield from self._epoch(number)
            trained = time.perf_counter()
            rates = self.validate()
            ended = time.perf_counter()
            self.training_seconds += trained - started
            self.validation_seconds += ended - trained
            scores = rates.cer, rates.sequence_accuracy
            self.curve.append(Epoch(number, loss, self._rate, *scores, self._infeasible))
            self._select(number)
            due = ended - self._saved >= self.trial.resources.checkpoint_every
            if due and not self._ended():
                self.save(self.state())
                self._saved = ended
            yield Validated(number, rates.cer, self.curve[self.selected_epoch - 1].validation_cer)
        if not self.adopted and self.selected_epoch < len(self.curve):
            self.last_weights = self._weights()

    def adopt(self, record: Record, weights: dict[str, Tensor]) -> None:
        """Stand at the end of another trial's training, which was the same."""
        self.curve, self.selected_epoch, self.weights = record.curve, record.selected_epoch, weights
        self.training_seconds = record.timings.training
        self.validation_seconds = record.timings.validation
        self.adopted = record.key

    def state(self) -> dict[str, Any]:
        """Return all that the epochs to come depend on, as tensors and plain values."""
        return {
            "network": self.network.state_dict(),
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
        """Stand where `state` was taken."""
        self.network.load_state_dict(state["network"])
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
        self._skipped = len(self.curve) / self.trial.training.epochs

    def _ended(self) -> bool:
        """Say whether no epoch is left, or none that the recipe has patience for."""
        recipe, scores = self.trial.training, [epoch.validation_cer for epoch in self.curve]
        if not recipe.patience or not scores:
            return len(scores) == recipe.epochs
        best = scores.index(min(scores)) + 1
        return len(scores) in {recipe.epochs, best + recipe.patience}

    def _batches(self, number: int) -> Batches:
        return self.source.batches(
            "train",
            self.trial.training.batch_size,
            seed=self.trial.named_seed("batches"),
            epoch=number,
        )

    def _epoch(self, number: int) -> Generator[Progress, None, float]:
        """Train one epoch; the generator's value is the mean loss over its batches."""
        self.network.train()
        batches = self._batches(number)
        reader = read(batches, self.trial.resources.workers)
        total, done, samples, started = 0.0, 0, 0, time.perf_counter()
        self._infeasible = 0
        while group := list(islice(reader, self.trial.training.accumulate)):
            self._optimizer.zero_grad()
            size = sum(len(batch.ids) for batch in group)
            for batch in group:
                total += self._learn(batch, len(batch.ids) / size)
                done, samples = done + 1, samples + len(batch.ids)
                now = time.perf_counter()
                if now - self._reported >= _REPORT_SECONDS or done == len(batches):
                    self._reported = now
                    pace = samples / (now - started)
                    yield self._progress(number, done / len(batches), total / done, pace)
            self._step()
        return total / done

    def _learn(self, batch: Batch, share: float) -> float:
        """Add the gradients of a batch, times its share of the step; return its loss."""
        network, criterion = self.network, self.trial.loss
        views = criterion.augmented_views(batch.to(self.device))
        loss, targets = network.objective(views, self.trial.training.precision)
        self._scaler.scale(loss * share).backward()  # type: ignore[no-untyped-call]
        value = loss.item()
        # A sample counts once, however many views of it there are.
        fits = criterion.feasible(targets)[: len(batch.ids)]
        self._infeasible += int((~fits).sum())
        if not math.isfinite(value):
            raise DivergedError(f"the loss became {value} on samples {', '.join(batch.ids)}")
        return value

    def _step(self) -> None:
        """Move the weights by the gradients that were added up."""
        if bound := self.trial.training.gradient_clip:
            self._scaler.unscale_(self._optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), bound)
        self._rate = float(self._optimizer.param_groups[0]["lr"])
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.step()

    def _progress(self, number: int, share: float, loss: float, speed: float) -> Progress:
        epochs = self.trial.training.epochs
        fraction = (number - 1 + share) / epochs
        return Progress(
            epoch=number,
            epochs=epochs,
            fraction=fraction,
            loss=loss,
            speed=speed,
            eta=(time.perf_counter() - self._began) * (1 - fraction) / (fraction - self._skipped),
            validation_cer=self.curve[-1].validation_cer if self.curve else None,
        )

    def _select(self, number: int) -> None:
        """Keep the current weights if the recipe would test them."""
        scores = [epoch.validation_cer for epoch in self.curve]
        if self.trial.training.select == "last" or scores[-1] < min(scores[:-1], default=math.inf):
            self.selected_epoch, self.weights = number, self._weights()

    def _weights(self) -> dict[str, Tensor]:
        """Return a copy of the current weights, as they are stored."""
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in self.network.state_dict().items()
        }
