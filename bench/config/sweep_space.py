"""The table `[suite.NAME.sweep]`, and the search space in it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec

from bench.core.errors import did_you_mean
from bench.core.schema import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SchemaError,
)

DomainKind = Literal["loguniform", "uniform", "choice", "randint"]
_ROUNDING = 1e-9
SEARCHED_PARTS = ("recipe", "model", "loss", "input")
"""What a path of the space begins with. Not data, because scores on other data do not compare."""
_KINDS: tuple[DomainKind, ...] = ("loguniform", "uniform", "choice", "randint")
_NOT_SEARCHED = frozenset({"epochs", "steps", "validate_every"})
"""Keys of a recipe that decide when trials are validated; all trials need the same values."""


@dataclass(frozen=True)
class Domain:
    """The values of one parameter.

    Attributes:
        kind: How values are drawn.
        values: For `loguniform` and `uniform` the ends of the interval; for `choice` the values;
            for `randint` the lowest whole number and the first one above the highest.
    """

    kind: DomainKind
    values: tuple[Any, ...]

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The values that are checked before a sweep starts: the ends of an interval, or all."""
        if self.kind == "randint":
            return self.values[0], self.values[1] - 1
        return self.values

    @property
    def members(self) -> Iterable[Any]:
        """The values of a `choice` or `randint`."""
        return range(*self.values) if self.kind == "randint" else self.values

    def has(self, value: object) -> bool:
        """Return whether `value` is in the domain."""
        if self.kind == "randint":
            return type(value) is int and value in range(*self.values)
        if self.kind == "choice":
            return any(value == each and type(value) is type(each) for each in self.values)
        low, high = self.values
        # Sampling on a logarithmic scale may round the ends of the interval.
        margin = _ROUNDING * max(abs(low), abs(high))
        return _finite(value) and low - margin <= value <= high + margin

    @property
    def size(self) -> float:
        """The number of values; infinite for an interval."""
        if self.kind == "randint":
            return float(self.values[1] - self.values[0])
        return float(len(self.values)) if self.kind == "choice" else math.inf


@dataclass(frozen=True)
class SweepTable:
    """The keys of `[suite.NAME.sweep]`.

    Attributes:
        space: The domain of each parameter by its path, such as `recipe.learning_rate`.
        trials: The largest number of trials.
        train: A glob of training data. `train`, `model` and `loss` together select one training.
        model: A glob of models.
        loss: A glob of losses.
        minutes: The longest duration in minutes; 0 sets no limit.
        sampler: `tpe` is Optuna's tree-structured Parzen estimator, `random` draws independently.
        scheduler: `asha` (Li et al., MLSys 2020) stops trials early, `fifo` never does.
        grace_period: ASHA stops no trial before this many validations.
        reduction_factor: After `grace_period · reduction_factor^k` validations ASHA stops a trial
            that is not among the best 1/`reduction_factor` so far.
        seed: The seed of all trials. Unset: one more than the highest seed of the suite, so that
            parameters are not tuned on a seed of the board.
        heartbeat_timeout: Seconds without an event after which a trial is stopped as hung.
    """

    space: dict[str, Any]
    trials: PositiveInt
    train: str = "*"
    model: str = "*"
    loss: str = "*"
    minutes: NonNegativeFloat = 0.0
    sampler: Literal["random", "tpe"] = "tpe"
    scheduler: Literal["asha", "fifo"] = "asha"
    grace_period: PositiveInt = 1
    reduction_factor: Annotated[int, msgspec.Meta(ge=2)] = 3
    seed: NonNegativeInt | None = None
    heartbeat_timeout: PositiveFloat = 600.0

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """The domain of each parameter by its path. Raises SchemaError if the space is invalid."""
        domains = dict(_domains(self.space))
        if not domains:
            raise SchemaError("space", "the space is empty; add a parameter to it")
        return domains


def _domains(space: dict[str, Any]) -> Iterator[tuple[str, Domain]]:
    for part, parameters in space.items():
        if part not in SEARCHED_PARTS:
            hint = did_you_mean(part, SEARCHED_PARTS)
            raise SchemaError(part, f"a path in the space cannot begin with '{part}'{hint}")
        if not isinstance(parameters, dict):
            raise SchemaError(part, f"'{part}' is not a parameter; write {part}.NAME = …")
        for name in _NOT_SEARCHED.intersection(parameters if part == "recipe" else ()):
            raise SchemaError(
                f"recipe.{name}",
                f"'recipe.{name}' cannot be searched, because trials are compared after the same "
                "number of validations; remove it",
            )
        for name, domain in parameters.items():
            yield f"{part}.{name}", _domain(f"{part}.{name}", domain)


def _domain(path: str, table: object) -> Domain:
    if not isinstance(table, dict) or len(table) != 1:
        raise SchemaError(path, f"'{path}' must be one domain, as {{ uniform = [0.1, 0.5] }}")
    ((kind, values),) = table.items()
    if kind not in _KINDS:
        raise SchemaError(path, f"there is no domain '{kind}'{did_you_mean(kind, _KINDS)}")
    if not isinstance(values, list):
        raise SchemaError(path, f"'{path}': {kind} requires a list")
    if requirement := _violated_requirement(kind, values):
        raise SchemaError(path, f"'{path}': {kind} requires {requirement}")
    return Domain(kind, tuple(map(float, values) if kind.endswith("uniform") else values))


def _violated_requirement(kind: DomainKind, values: list[Any]) -> str:
    """Return the requirement of `kind` that `values` violate, or ""."""
    if kind == "choice":
        plain = all(isinstance(value, bool | int | float | str) for value in values)
        # By equality, as a sampler looks a value up: 1 and 1.0 are the same trial.
        if not plain or not len(set(values)) == len(values) > 1:
            return "two or more values without duplicates"
        return ""
    numbers = [value for value in values if _finite(value)]
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:  # noqa: PLR2004
        return "two numbers, the lower one first"
    if kind == "loguniform" and numbers[0] <= 0:
        return "numbers above 0"
    whole = all(isinstance(value, int) for value in values)
    return "whole numbers" if kind == "randint" and not whole else ""


def _finite(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max  # type: ignore[arg-type]
