"""The space of a sweep, and its table as bench.toml spells it."""

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
"""Not the data: validation scores on other data do not compare."""
_KINDS: tuple[DomainKind, ...] = ("loguniform", "uniform", "choice", "randint")
_NOT_SEARCHED = frozenset({"epochs", "steps", "validate_every"})
"""Keys of a recipe that decide when trials are validated, and so how they are compared."""


@dataclass(frozen=True)
class Domain:
    """The values of one parameter.

    Attributes:
        kind: How they are drawn.
        values: The two ends of an interval for `loguniform` and `uniform`; the values themselves
            for `choice`; for `randint` two whole numbers, the first that may be drawn and the
            first that may not.
    """

    kind: DomainKind
    values: tuple[Any, ...]

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The values that are tried before a sweep starts, to see that all are possible."""
        if self.kind == "randint":
            return self.values[0], self.values[1] - 1
        return self.values

    @property
    def members(self) -> Iterable[Any]:
        """All values of a `choice` or `randint`."""
        return range(*self.values) if self.kind == "randint" else self.values

    def has(self, value: object) -> bool:
        """Return whether `value` may have been drawn."""
        if self.kind == "randint":
            return type(value) is int and value in range(*self.values)
        if self.kind == "choice":
            return any(value == each and type(value) is type(each) for each in self.values)
        low, high = self.values
        # A logarithm and back may round an end of the interval.
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
    """A sweep as bench.toml spells it.

    Attributes:
        space: Domains by path, such as `recipe.learning_rate`.
        trials: The budget in trials.
        train: A glob of training data; `train`, `model` and `loss` have to leave one training.
        model: A glob of models.
        loss: A glob of losses.
        minutes: A second budget in wall time; 0 for none.
        sampler: `tpe` is Optuna's tree-structured Parzen estimator, `random` draws independently.
        scheduler: `asha` (Li et al., MLSys 2020) stops trials early, `fifo` stops none.
        grace_period: ASHA stops no trial before this many validations.
        reduction_factor: After `grace_period · reduction_factor^k` validations ASHA stops a trial
            that is not among the best 1/`reduction_factor` so far.
        seed: Of every trial. None: one more than the suite's highest, so that no seed of the board
            is tuned on.
        heartbeat_timeout: Seconds without an event after which a trial counts as hung and is ended.
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
        """The space by path. Raises SchemaError where it is not a space."""
        domains = dict(_domains(self.space))
        if not domains:
            raise SchemaError("space", "the space is empty; name a parameter in it")
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
    """Return what `kind` requires and `values` do not fulfil, or ""."""
    if kind == "choice":
        plain = all(isinstance(value, bool | int | float | str) for value in values)
        # By equality, as a sampler looks a value up: 1 and 1.0 are the same trial.
        if not plain or not len(set(values)) == len(values) > 1:
            return "two values or more, each just once"
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
