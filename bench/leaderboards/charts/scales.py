"""Scales: values to places on an axis, and the ticks at which an axis is labeled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

_STEPS = (1, 2, 5)
_LEAST = 1e-9
"""Values that differ by less are the same one."""
_MAX_TICKS = 7
_LARGE = 1000


@dataclass(frozen=True)
class Scale:
    """A scale from values to coordinates.

    Attributes:
        low: The value at the coordinate `start`.
        high: The value at the coordinate `end`.
        start: A coordinate.
        end: Another one, which may be smaller.
        ticks: The values that are labeled.
        logarithmic: Whether equal distances are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, within the ends of the scale."""
        low, high = self._place(self.low), self._place(self.high)
        share = (self._place(value) - low) / (high - low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def _place(self, value: float) -> float:
        # Logarithms may end otherwise on another machine: coordinates have one decimal.
        return math.log10(value) if self.logarithmic else value


def linear(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    count: int = 6,
) -> Scale:
    """Return a scale whose ends are round values around `values`, within `low` and `high`.

    Args:
        values: What has to be on it.
        start: The coordinate of the smallest value.
        end: That of the largest.
        low: No tick is below this.
        high: No tick is above this.
        count: About how many ticks it has.
    """
    listed = [*values]
    least, largest = min(listed), max(listed)
    if largest - least < _LEAST:
        least, largest = least - 0.5, largest + 0.5
    step = _step((largest - least) / count)
    first = math.floor(Decimal(repr(least)) / step)
    last = math.ceil(Decimal(repr(largest)) / step)
    ticks = [float(place * step) for place in range(first, last + 1)]
    ticks = [tick for tick in ticks if low <= tick <= high] or [least, largest]
    return Scale(
        max(low, ticks[0]), min(high, max(ticks[-1], ticks[0] + _LEAST)), start, end, tuple(ticks)
    )


def logarithmic(values: Iterable[float], start: float, end: float) -> Scale:
    """Return a logarithmic scale around positive values; its ticks are 1, 2 and 5 of each power."""
    listed = [*values]
    low, high = min(listed), max(listed)
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
    """Return the label of a tick; `unit` writes large whole numbers."""
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
