"""The contract of every component, whatever its kind."""

from __future__ import annotations

import json
import tomllib
from abc import abstractmethod
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar, cast

import tomlkit

from bench.core import registry
from bench.core.components import Component
from bench.core.errors import BenchError
from bench.core.names import name_fault
from bench.core.registry import Kind
from bench.core.schema import fill
from bench.testing.contract import ContractError, Kit, requires
from bench.testing.global_state import (
    changes,
    drawn_generators,
    global_state,
    preserved_state,
    reseeded_generators,
)

ComponentT = TypeVar("ComponentT", bound=Component)


def component_of(kind: Kind, component: Component | str) -> Any:  # noqa: ANN401 (of that kind)
    """Return a component, by its name with its default parameters.

    Raises:
        BenchError: No component has the name, or it has parameters without a default.
    """
    return registry.make(kind, component, {}) if isinstance(component, str) else component


class ComponentKit(Kit, Generic[ComponentT]):
    """What bench requires of every component.

    Args:
        component: The component with its parameters.

    Attributes:
        seeded: Whether bench seeds torch's global generator before it uses the component, so that
            it may draw from it.
    """

    seeded = False

    def __init__(self, component: ComponentT) -> None:
        self.component = component

    @abstractmethod
    def exercise(self) -> None:
        """Use the component once, as bench does."""

    def require_usable(self) -> None:
        """Raise BenchError if the component refuses to be used, and says what to do."""
        with preserved_state():
            try:
                self.exercise()
            except BenchError:
                raise
            except Exception:  # noqa: BLE001 (the checks explain it)
                return

    @requires("The parameters are fields of a frozen dataclass and pass through JSON and TOML.")
    def parameters(self) -> None:
        """Compare the component with what its spec and its TOML give."""
        component, kind = self.component, type(self.component)
        if fault := name_fault(kind.kind, component.name):
            raise ContractError(fault)
        _require_fields(kind)
        try:
            text = json.dumps(component.spec(), sort_keys=True)
        except TypeError as error:
            raise ContractError(
                f"its parameters cannot be written as JSON ({error}); use numbers, texts, "
                "booleans, None and tuples of these"
            ) from None
        if json.dumps(component.spec(), sort_keys=True) != text:
            raise ContractError("spec() returns other values each time; compute them from fields")
        table = component.toml()
        written = tomlkit.dumps({"component": table})
        table = tomllib.loads(written)["component"]
        values = {} if isinstance(table, str) else {**cast("dict[str, Any]", table)}
        values.pop("name", None)
        again = cast("Component", fill(kind, values))
        if again != component or json.dumps(again.spec(), sort_keys=True) != text:
            raise ContractError(
                f"{component.label} is {again.label} after it was written to TOML and read; use "
                "types that TOML has, and do not change fields in __post_init__"
            )
        hash(component)

    @requires("Using the component changes no global setting of the process.")
    def global_state(self) -> None:
        """Compare the settings of torch, NumPy, Python and the process before and after."""
        before = global_state()
        self.exercise()
        if names := changes(before, global_state()):
            raise ContractError(
                f"it changes {', '.join(names)}, which other components depend on; pass what you "
                "need as an argument, or restore the setting in a `finally` clause"
            )

    @requires("Random draws are seeded by bench: no generator is reseeded, none is left unseeded.")
    def random_generators(self) -> None:
        """Check the global random generators after the component was used."""
        advanced = drawn_generators(self.exercise)
        for name in advanced:
            if name == "torch" and self.seeded:
                continue
            allowed = (
                "draw from torch's global generator, which bench seeds before each batch"
                if self.seeded
                else "draw from a generator of its own that is seeded by a parameter"
            )
            raise ContractError(
                f"it draws from, or seeds, {name}'s global generator, so that the numbers of "
                f"others change; {allowed}"
            )
        if reseeded := [name for name in reseeded_generators(self.exercise) if name in advanced]:
            raise ContractError(
                f"it seeds {', '.join(reseeded)}'s global generator, so that all seeds of a suite "
                "train with the same draws; remove the call of manual_seed"
            )


def _require_fields(kind: type[Component]) -> None:
    """Raise ContractError if an annotated attribute of a class is not a field of a dataclass."""
    if not is_dataclass(kind) or not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise ContractError(f"{kind.__name__} is not frozen; decorate it: @dataclass(frozen=True)")
    names = {field.name for field in fields(kind)}
    for name, annotation in vars(kind).get("__annotations__", {}).items():
        if name not in names and "ClassVar" not in str(annotation):
            raise ContractError(
                f"parameter '{name}' of {kind.__name__} is not a field, so that bench.toml cannot "
                "set it and keys lack it; decorate the class with @dataclass(frozen=True)"
            )
