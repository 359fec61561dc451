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
from bench.core.schema import Count, Natural, NonNegative, Positive, SchemaError

Kind = Literal["loguniform", "uniform", "choice", "randint"]
_PARTS = ("training", "model", "loss")
"""Not the dataset: CERs on other data do not compare."""
_KINDS: tuple[Kind, ...] = ("loguniform", "uniform", "choice", "randint")


@dataclass(frozen=True)
class Domain:
    """What one parameter may be.

    `loguniform` and `uniform` hold the two ends of an interval, `choice` the values themselves, and
    `randint` two whole numbers: the first that may be drawn, and the first that may not.
    """

    kind: Kind
    values: tuple[Any, ...]

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The values that stand for all where it is asked whether they can be."""
        if self.kind == "randint":
            return self.values[0], self.values[1] - 1
        return self.values

    @property
    def members(self) -> Iterable[Any]:
        """All values of a `choice` or `randint`."""
        return range(*self.values) if self.kind == "randint" else self.values

    @property
    def size(self) -> float:
        """How many values there are."""
        if self.kind == "randint":
            return float(self.values[1] - self.values[0])
        return float(len(self.values)) if self.kind == "choice" else math.inf


@dataclass(frozen=True)
class SweepTable:
    """A sweep as bench.toml spells it.

    `dataset`, `model` and `loss` are globs that have to leave one of each. It ends after `trials`
    trials, or `minutes` (0: no bound). `asha` stops a trial that after `grace`,
    `grace · reduction`, … epochs is not among the best 1/`reduction` so far; `fifo` stops none.
    Trials have the seed `seed` (None: one more than the suite's highest). One that says nothing for
    `silence` seconds is taken for hung and ended.
    """

    space: dict[str, Any]
    trials: Count
    dataset: str = "*"
    model: str = "*"
    loss: str = "*"
    minutes: NonNegative = 0.0
    sampler: Literal["random", "tpe"] = "tpe"
    scheduler: Literal["asha", "fifo"] = "asha"
    grace: Count = 1
    reduction: Annotated[int, msgspec.Meta(ge=2)] = 3
    seed: Natural | None = None
    silence: Positive = 600.0

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """The space by path. Raises SchemaError where it is none."""
        found = dict(_domains(self.space))
        if not found:
            raise SchemaError("space", "the space is empty; name a parameter in it")
        return found


def _domains(space: dict[str, Any]) -> Iterator[tuple[str, Domain]]:
    for part, parameters in space.items():
        if part not in _PARTS:
            near = did_you_mean(part, _PARTS)
            raise SchemaError(part, f"a path in the space begins with no '{part}'{near}")
        if not isinstance(parameters, dict):
            raise SchemaError(part, f"'{part}' is no parameter; write {part}.NAME = …")
        if part == "training" and "epochs" in parameters:
            raise SchemaError(
                "training.epochs", "'training.epochs' is what trials are compared by; leave it out"
            )
        for name, domain in parameters.items():
            yield f"{part}.{name}", _domain(f"{part}.{name}", domain)


def _domain(path: str, table: object) -> Domain:
    if not isinstance(table, dict) or len(table) != 1:
        raise SchemaError(path, f"'{path}' wants one domain, as {{ uniform = [0.1, 0.5] }}")
    ((kind, values),) = table.items()
    if kind not in _KINDS:
        raise SchemaError(path, f"there is no domain '{kind}'{did_you_mean(kind, _KINDS)}")
    if not isinstance(values, list):
        raise SchemaError(path, f"'{path}': {kind} wants a list")
    if fault := _fault(kind, values):
        raise SchemaError(path, f"'{path}': {kind} wants {fault}")
    return Domain(kind, tuple(map(float, values) if kind.endswith("uniform") else values))


def _fault(kind: Kind, values: list[Any]) -> str:
    """Say what `kind` wants that `values` are not."""
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
