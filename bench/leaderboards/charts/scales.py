"""Scales of axes: conversion of values to coordinates, and ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

_STEPS = (1, 2, 5)
_MIN_DIFFERENCE = 1e-9
"""Values that differ by less are equal."""
_MAX_TICKS = 7
_LARGE = 1000


@dataclass(frozen=True)
class Scale:
    """A conversion of values to coordinates along an axis.

    Attributes:
        low: The value at the coordinate `start`.
        high: The value at the coordinate `end`.
        start: Coordinate of `low`.
        end: Coordinate of `high`, which may be smaller than `start`.
        ticks: The labeled values.
        logarithmic: Whether the scale is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, clipped to the ends of the scale."""
        low, high = self._transformed(self.low), self._transformed(self.high)
        fraction = (self._transformed(value) - low) / (high - low)
        return self.start + min(1.0, max(0.0, fraction)) * (self.end - self.start)

    def _transformed(self, value: float) -> float:
        # Logarithms differ between machines in the last bits; coordinates are rounded.
        return math.log10(value) if self.logarithmic else value


def linear_scale(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    count: int = 6,
) -> Scale:
    """Return a linear scale whose ends are round values around `values`.

    Args:
        values: The values that have to be within the scale.
        start: Coordinate of the smallest value.
        end: Coordinate of the largest value.
        low: Lower bound of ticks.
        high: Upper bound of ticks.
        count: Approximate number of ticks.
    """
    value_list = [*values]
    least, largest = min(value_list), max(value_list)
    if largest - least < _MIN_DIFFERENCE:
        least, largest = least - 0.5, largest + 0.5
    step = _step((largest - least) / count)
    first = math.floor(Decimal(repr(least)) / step)
    last = math.ceil(Decimal(repr(largest)) / step)
    ticks = [float(number * step) for number in range(first, last + 1)]
    ticks = [tick for tick in ticks if low <= tick <= high] or [least, largest]
    return Scale(
        max(low, ticks[0]),
        min(high, max(ticks[-1], ticks[0] + _MIN_DIFFERENCE)),
        start,
        end,
        tuple(ticks),
    )


def logarithmic_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """Return a logarithmic scale around positive values, with ticks at 1, 2 and 5 × 10ⁿ."""
    value_list = [*values]
    low, high = min(value_list), max(value_list)
    exponents = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    candidates = [float(f"{step}e{exponent}") for exponent in exponents for step in _STEPS]
    first = max(tick for tick in candidates if tick <= low)
    last = min(tick for tick in candidates if tick >= high)
    if first == last:
        last = min(tick for tick in candidates if tick > first)
    ticks = [tick for tick in candidates if first <= tick <= last]
    if len(ticks) > _MAX_TICKS:
        powers = [tick for tick in ticks if f"{tick:e}".startswith("1.0")]
        ticks = powers if len(powers) > 1 else ticks[::2]
    return Scale(first, last, start, end, tuple(ticks), logarithmic=True)


def tick_text(value: float, *, unit: Callable[[int], str] | None = None) -> str:
    """Return the label of a tick; `unit` formats large whole numbers."""
    if unit and value >= _LARGE:
        return unit(round(value)).replace(".00", "").replace(".0 ", " ")
    return f"{value:,.10g}"


def _step(rough: float) -> Decimal:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least `rough`."""
    exponent = math.floor(math.log10(rough))
    for power in (exponent, exponent + 1):
        for step in _STEPS:
            candidate = Decimal(step).scaleb(power)
            if float(candidate) >= rough * (1 - 1e-9):
                return candidate
    raise AssertionError(rough)
