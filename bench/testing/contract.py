"""Contracts of components: one check per requirement, and what a check reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar
from unittest import SkipTest

from bench.core.errors import BenchError, one_line
from bench.core.raised_at import raised_at
from bench.testing.global_state import preserved_state

Outcome = Literal["passed", "failed", "skipped", "note"]
"""`note`: the contract is met, and there is something to know, such as a speed."""


class ContractError(AssertionError):
    """A requirement that a component does not meet: what was observed, and how to fix it."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: The name of the check, such as `finite-loss`.
        requirement: What the contract requires, in one sentence.
        outcome: Whether the component meets it.
        explanation: What was observed and how to fix it, where it failed; why it was skipped; what
            there is to know. Empty where it passed.
    """

    name: str
    requirement: str
    outcome: Outcome
    explanation: str = ""


@dataclass(frozen=True)
class Check:
    """One requirement of a contract for one component.

    Attributes:
        name: The name of the check, such as `finite-loss`.
        requirement: What the contract requires, in one sentence.
        verify: Returns what there is to know, mostly nothing. Raises ContractError if the
            component does not meet the requirement, SkipTest where it does not apply.
        informs: Whether it only reports a note and cannot fail.
    """

    name: str
    requirement: str
    verify: Callable[[], str | None]
    informs: bool = False

    @property
    def __name__(self) -> str:
        """The name, by which pytest calls a parametrized test."""
        return self.name

    def __call__(self) -> None:
        """Verify the requirement, as a test does.

        Raises:
            ContractError: The component does not meet the requirement.
            SkipTest: It does not apply; pytest skips the test.
        """
        self.verify()

    def run(self) -> CheckResult:
        """Verify the requirement; whatever the component raises is a failure that it explains."""
        outcome, explanation = self._outcome()
        return CheckResult(self.name, self.requirement, outcome, explanation)

    def _outcome(self) -> tuple[Outcome, str]:
        try:
            remark = self.verify()
        except (ContractError, BenchError) as error:
            return "failed", str(error)
        except SkipTest as error:
            return "skipped", str(error)
        except Exception as error:  # noqa: BLE001 (whatever a component raises)
            where = raised_at(error)
            return "failed", f"it raised {one_line(error)}{f' ({where})' if where else ''}"
        return ("note", remark) if remark else ("passed", "")


_Method = TypeVar("_Method", bound=Callable[..., Any])


def requires(statement: str) -> Callable[[_Method], _Method]:
    """Make a method of a kit the check of a requirement; its name is that of the method."""
    return partial(_mark, statement, informs=False)


def informs(statement: str) -> Callable[[_Method], _Method]:
    """Make a method of a kit a check that returns a note and cannot fail."""
    return partial(_mark, statement, informs=True)


def _mark(statement: str, method: _Method, *, informs: bool) -> _Method:
    method.requirement = statement  # type: ignore[attr-defined]
    method.informs = informs  # type: ignore[attr-defined]
    return method


class Kit:
    """The contract of one component: its methods under `requires` and `informs` are the checks."""

    def checks(self) -> list[Check]:
        """Return the checks in the order in which they are declared, those of base classes last."""
        methods = {
            name: method
            for kind in type(self).__mro__
            for name, method in vars(kind).items()
            if hasattr(method, "requirement")
        }
        return [
            Check(
                name.replace("_", "-"),
                method.requirement,
                partial(_isolated, getattr(self, name)),
                method.informs,
            )
            for name, method in methods.items()
        ]

    def tests(self) -> list[Check]:
        """Return the checks that can fail, which are those that a test runs."""
        return [check for check in self.checks() if not check.informs]

    def run(self) -> list[CheckResult]:
        """Run all checks, and return the result of each."""
        return [check.run() for check in self.checks()]


def _isolated(verify: Callable[[], str | None]) -> str | None:
    """Verify a requirement, and restore the global state that the component has changed."""
    with preserved_state():
        return verify()
