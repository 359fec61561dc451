"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from bench.core.interval import Interval
from bench.nn.global_batch import from_rank_0
from bench.training import optimizers
from bench.training.accelerator import device_name
from bench.training.checkpoint import checked_position
from bench.training.device import seed_generators
from bench.training.distributed import average_gradients
from bench.training.running_loss import Reading, RunningLoss
from bench.training.timetable import Timetable
from bench.trials.events import Progress, Validated
from bench.trials.rank import ALONE, Rank
from bench.trials.records import CurvePoint

if TYPE_CHECKING:
    from bench.config.recipe import Recipe, Resources
    from bench.core.types import Batch, EpochBatches, InputPipeline
    from bench.data.reading.loading import BatchLoader
    from bench.training.step import TrainingStep

_NAMED = 5
"""How many samples an error names."""


class DivergedError(Exception):
    """The loss stopped being a finite number."""


class Training(Protocol):
    """The part of a training's specification that the trainer reads."""

    @property
    def recipe(self) -> Recipe:
        """How the network is trained."""
        ...

    @property
    def resources(self) -> Resources:
        """The resources that the training reserves."""
        ...

    def named_seed(self, purpose: str) -> int:
        """Return a seed for one purpose."""
        ...


@dataclass
class Trainer:
    """The training of one network: exhaust `run`, then `curve` and weights are complete.

    Batches and random draws are functions of the step. So a new trainer that restores the `state`
    of another one after any step ends with the same bits on a CPU.

    Attributes:
        training: The recipe, the resources and the seeds.
        step: The network with its loss, on `device`.
        pipeline: The source of the batches of `train`.
        loader: Loads them to `device`.
        device: "cpu" or "cuda".
        validate: Returns the label error rate of the current weights on the validation split.
        save: Called with `state()` each `checkpoint_every`, unless training has ended.
        rank: The rank of this process in a data-parallel training. Only rank 0 validates, saves and
            reports.
        done: Completed steps: updates of the weights.
        curve: One point per validation.
        trained_on: The devices that computed the steps, in order: "cpu", or names of GPUs. Several
            where a checkpoint was restored on another device.
        selected_step: The step after which the recipe selects the weights; 0 before any.
        weights: The selected weights, on the CPU.
        last_weights: The weights of the last step where others were selected, else empty.
        training_seconds: Wall time of the steps, including those before a `restore`.
        validation_seconds: Wall time of `validate`, including calls before a `restore`.
    """

    training: Training
    step: TrainingStep
    pipeline: InputPipeline
    loader: BatchLoader
    device: str
    validate: Callable[[], float]
    save: Callable[[dict[str, Any]], None]
    rank: Rank = ALONE
    done: int = 0
    curve: list[CurvePoint] = field(default_factory=list)
    trained_on: list[str] = field(default_factory=list)
    selected_step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    last_weights: dict[str, Tensor] = field(default_factory=dict)
    training_seconds: float = 0.0
    validation_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Make the optimizer, and start the clocks."""
        self._recipe = recipe = self.training.recipe
        self._network = self.step.network
        self.trained_on = [device_name(self.device)]
        self._averaging = None if self.rank.alone else average_gradients(self.step)
        self._batches_per_epoch = len(self._batches(1))
        self.timetable = Timetable.of_recipe(recipe, self._batches_per_epoch)
        self._optimizer = optimizers.make_optimizer(recipe, self._network.parameters())
        self._scaler = GradScaler(self.device, enabled=recipe.precision == "fp16")
        self._loss = RunningLoss(self.device)
        self._rate = 0.0
        now = time.perf_counter()
        self._began, self._restored, self._trained_until = now, 0, now
        resources, per_epoch = self.training.resources, self.timetable.steps_per_epoch
        self._checkpoint_due = Timer(Interval.parse(resources.checkpoint_every), per_epoch)
        self._report_due = Timer(Interval.parse(resources.log_every), per_epoch)
        self._samples = 0

    def run(self) -> Iterator[Progress | Validated]:
        """Train to the end; report progress at intervals, and each validation."""
        self._trained_until = time.perf_counter()
        while not self.ended():
            epoch = self.timetable.epoch(self.done)
            self.step.train()
            batches = self._batches(epoch)
            mine = batches.rows(self.rank.number, self.rank.count)
            with closing(self.loader.read(mine, self._first_batch())) as reader:
                while group := list(islice(reader, self._recipe.accumulate)):
                    first = self._first_batch()
                    sizes = [batches.samples(first + offset) for offset in range(len(group))]
                    self._update(group, sizes)
                    yield from self._after_step()
                    if self.ended():
                        break
        if self.selected_step < self.done:
            self.last_weights = self._copy_weights()

    def ended(self) -> bool:
        """Whether no step is left, or the recipe's patience is exhausted."""
        if self.done == self.timetable.steps:
            return True
        rates = [point.validation_ler for point in self.curve]
        if not self._recipe.patience or not rates or self.curve[-1].step != self.done:
            return False
        return len(rates) - 1 - rates.index(min(rates)) >= self._recipe.patience

    def state(self) -> dict[str, Any]:
        """Return everything that the remaining steps depend on, as tensors and plain values."""
        return {
            "done": self.done,
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "loss": self._loss.state(),
            "curve": [asdict(point) for point in self.curve],
            "trained_on": self.trained_on,
            "selected_step": self.selected_step,
            "weights": self.weights,
            "seconds": [self.training_seconds + self._unbooked(), self.validation_seconds],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the checkpoint `state`.

        Raises:
            Exception: `state` does not fit this network and recipe; torch does not document which
                exceptions it raises. A partly restored trainer must not be used.
        """
        position = checked_position(state, self.timetable.steps, self._network.state_dict())
        self._network.load_state_dict(state["network"])
        optimizers.restore(self._optimizer, state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        self._loss.restore(state["loss"])
        self.done = self._restored = position.done
        self.curve = [*position.curve]
        self.trained_on = [*dict.fromkeys([*position.trained_on, *self.trained_on])]
        self.selected_step = position.selected_step
        self.weights = state["weights"]
        self.training_seconds, self.validation_seconds = position.seconds

    def _batches(self, epoch: int) -> EpochBatches:
        seed = self.training.named_seed("batches")
        return self.pipeline.batches("train", self._recipe.batch_size, seed=seed, epoch=epoch)

    def _update(self, group: Sequence[Batch], sizes: Sequence[int]) -> None:
        """Update the weights by the gradients of some batches, each weighted by its samples.

        Args:
            group: The batches; of each, this rank's rows.
            sizes: The samples of each batch on all ranks.
        """
        self._rate = optimizers.set_rates(self._optimizer, self._recipe, self.timetable, self.done)
        self._optimizer.zero_grad()
        before = (self.timetable.epoch(self.done) - 1) * self._batches_per_epoch
        first = before + self._first_batch()
        for number, (batch, size) in enumerate(zip(group, sizes, strict=True), first):
            # Ranks share random draws for the whole batch, and have their own for their rows.
            purpose = f"batch/{number}" if self.rank.leads else f"batch/{number}/{self.rank.number}"
            seed_generators(self.training.named_seed(purpose), self.device)
            with self._averaged(last=number == first + len(group) - 1) as step:
                loss, infeasible = step(batch)
                self._scaler.scale(loss * (size / sum(sizes))).backward()
            # A batch with fewer samples than ranks is read by each rank.
            counted = self.rank.leads or size >= self.rank.count
            self._loss.add(loss, infeasible if counted else 0, number)
        if bound := self._recipe.gradient_clip:
            self._scaler.unscale_(self._optimizer)
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), bound)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._samples += sum(sizes)
        self.done += 1

    @contextmanager
    def _averaged(self, *, last: bool) -> Iterator[nn.Module]:
        """Yield the training step; gradients are averaged over ranks with the last batch."""
        if self._averaging is None:
            yield self.step
        else:
            with nullcontext() if last else self._averaging.no_sync():
                yield self._averaging

    def _first_batch(self) -> int:
        """Return the index, in its epoch, of the first batch of the next step."""
        return self.timetable.step_in_epoch(self.done) * self._recipe.accumulate

    def _after_step(self) -> Iterator[Progress | Validated]:
        """End the epoch, report, validate and save a checkpoint, whichever is due."""
        if self.timetable.ends_epoch(self.done):
            self.step.end_epoch()
        validates = self.timetable.validates(self.done)
        due = self._report_due(self.done) and self.rank.leads
        if due or validates:
            yield self._progress()
        if validates:
            yield self._validated()
        if self.rank.leads and self._checkpoint_due(self.done) and not self.ended():
            self._read_loss()
            self.save(self.state())

    def _read_loss(self) -> Reading:
        """Return the losses since the last validation. Raises DivergedError."""
        reading = self._loss.read()
        if diverged := reading.diverged:
            epoch, index = divmod(diverged.batch, self._batches_per_epoch)
            ids = self._batches(epoch + 1)[index].ids
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            raise DivergedError(
                f"the loss became {diverged.loss} in epoch {epoch + 1}, on samples "
                f"{', '.join(ids[:_NAMED])}{more}; lower the learning rate, or check a loss of "
                "your own by `bench check`"
            )
        return reading

    def _validated(self) -> Validated:
        """Validate the network and add a point to the curve."""
        reading = self._read_loss()
        self.training_seconds += self._unbooked()
        began = time.perf_counter()
        rate = self.validate() if self.rank.leads else 0.0
        rate = float(from_rank_0(torch.tensor(rate, dtype=torch.float64)))
        self.step.train()
        self._trained_until = time.perf_counter()
        self.validation_seconds += self._trained_until - began
        epochs = round(self.timetable.epochs(self.done), 4)
        self.curve.append(
            CurvePoint(self.done, epochs, reading.loss, self._rate, rate, reading.infeasible)
        )
        self._loss.reset()
        self._samples = 0
        rates = [point.validation_ler for point in self.curve]
        if self._recipe.select == "last" or rates[-1] < min(rates[:-1], default=math.inf):
            self.selected_step, self.weights = self.done, self._copy_weights()
        lowest = rates[-1] if self._recipe.select == "last" else min(rates)
        return Validated(len(self.curve), self.done, epochs, rate, lowest)

    def _unbooked(self) -> float:
        """Return the seconds of training that are not yet part of `training_seconds`."""
        return time.perf_counter() - self._trained_until

    def _progress(self) -> Progress:
        loss, now = self._read_loss().loss, time.perf_counter()
        fraction = self.done / self.timetable.steps
        share = (self.done - self._restored) / self.timetable.steps
        return Progress(
            step=self.done,
            steps=self.timetable.steps,
            epoch=self.timetable.epochs(self.done),
            loss=loss,
            speed=self._samples / (now - self._trained_until),
            eta=(now - self._began) * (1 - fraction) / share,
            validation_ler=self.curve[-1].validation_ler if self.curve else None,
        )

    def _copy_weights(self) -> dict[str, Tensor]:
        """Return a copy of the current weights on the CPU, as they are stored."""
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in self._network.state_dict().items()
        }


class Timer:
    """Tells when an interval has passed since the last time.

    Args:
        interval: The interval in steps, epochs or seconds.
        steps_per_epoch: The number of steps per epoch.
    """

    def __init__(self, interval: Interval, steps_per_epoch: int) -> None:
        self._seconds = interval.amount if interval.unit == "seconds" else None
        self._steps = 0 if self._seconds is not None else interval.steps(steps_per_epoch)
        self._last = time.perf_counter()

    def __call__(self, step: int) -> bool:
        """Return whether the interval has passed after `step` steps; if so, start the next one."""
        if self._seconds is None:
            return step % self._steps == 0
        now = time.perf_counter()
        due = now - self._last >= self._seconds
        if due:
            self._last = now
        return due
