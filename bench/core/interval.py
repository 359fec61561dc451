"""Intervals of training such as `500 steps`, `0.5 epochs` or `60 seconds`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from bench.core.errors import BenchError

Unit = Literal["steps", "epochs", "seconds"]
_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s+(step|epoch|second)s?")


@dataclass(frozen=True)
class Interval:
    """How often something happens during training.

    Attributes:
        amount: The length; whole where `unit` is steps, more than zero where it is steps or epochs.
        unit: A step is one update of the weights, an epoch is one pass over the training data.
    """

    amount: float
    unit: Unit

    @classmethod
    def parse(cls, text: object, *, allow_seconds: bool = True) -> Interval:
        """Return the interval that `text` spells.

        Raises:
            BenchError: It is not an interval, or it is one in seconds and those are not allowed.
        """
        units = ["steps", "epochs", *(["seconds"] if allow_seconds else [])]
        match = _TEXT.fullmatch(text.strip()) if isinstance(text, str) else None
        unit = cast("Unit", f"{match[2]}s") if match else "steps"
        amount = float(match[1]) if match else 0.0
        possible = math.isfinite(amount) and (unit != "steps" or amount.is_integer())
        if not match or unit not in units or not possible or (unit != "seconds" and not amount):
            raise BenchError(
                f"{text!r} is not an interval in {', '.join(units[:-1])} or {units[-1]}; "
                f"write it as '500 steps' or '{'60 seconds' if allow_seconds else '0.5 epochs'}'"
            )
        return cls(amount, unit)

    def __str__(self) -> str:
        """Return the one spelling of this interval that specifications contain."""
        amount = f"{Decimal(repr(self.amount)):f}".removesuffix(".0")  # without an exponent
        return f"{amount} {self.unit[:-1] if self.amount == 1 else self.unit}"

    def steps(self, steps_per_epoch: int) -> int:
        """Return the interval in steps, at least one. It must not be in seconds."""
        steps = self.amount * (steps_per_epoch if self.unit == "epochs" else 1)
        return max(math.floor(steps + 0.5), 1)
