"""A finding of `bench doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SUITE = "suite "
"""What the name of the check of a suite begins with."""
State = Literal["ok", "note", "warning", "failed"]


@dataclass(frozen=True)
class Check:
    """A finding about this machine or folder.

    Attributes:
        name: What was checked.
        state: `failed`: the suite `quick` cannot run; `warning`: some suites cannot, or run slowly;
            `note`: something optional is missing.
        finding: What there is.
        fix: What to do about it, as an imperative; empty if nothing is to be done.
    """

    name: str
    state: State
    finding: str
    fix: str = ""
