"""The steps after which a training ends an epoch, validates and stops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.config.recipe import Recipe


@dataclass(frozen=True)
class Timetable:
    """The steps of a training: a step is one update of the weights.

    Attributes:
        steps: The length of the training; patience may end it sooner.
        steps_per_epoch: Updates per epoch.
        validate_every: Steps from one validation to the next.
    """

    steps: int
    steps_per_epoch: int
    validate_every: int

    @classmethod
    def of_recipe(cls, recipe: Recipe, batches_per_epoch: int) -> Timetable:
        """Return the timetable of a recipe for training data of so many batches."""
        per_epoch = math.ceil(batches_per_epoch / recipe.accumulate)
        return cls(
            steps=recipe.steps or recipe.epochs * per_epoch,
            steps_per_epoch=per_epoch,
            validate_every=recipe.validation_interval.steps(per_epoch),
        )

    def epoch(self, step: int) -> int:
        """Return the epoch, from 1, of the step that follows `step` completed steps."""
        return step // self.steps_per_epoch + 1

    def step_in_epoch(self, step: int) -> int:
        """Return the number of completed steps of the current epoch, after `step` steps in all."""
        return step % self.steps_per_epoch

    def epochs(self, step: int) -> float:
        """Return the number of epochs, as a fraction, that `step` steps are."""
        return step / self.steps_per_epoch

    def ends_epoch(self, step: int) -> bool:
        """Return whether an epoch has ended after `step` steps."""
        return step % self.steps_per_epoch == 0

    def validates(self, step: int) -> bool:
        """Return whether the network is validated after `step` steps."""
        return step % self.validate_every == 0 or step == self.steps
