"""What installed packages register with bench, as entry points of a group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError, one_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def load(group: str, name: str | None = None) -> Iterator[tuple[EntryPoint, Any]]:
    """Yield the entry points of `group`, or those called `name`, each with the object it names.

    Reads the metadata of every installed package, which is slow. Raises BenchError where one cannot
    be imported.
    """
    from importlib.metadata import entry_points

    points = entry_points(group=group) if name is None else entry_points(group=group, name=name)
    for point in points:
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a package raises)
            raise BenchError(
                f"entry point '{point.name}' of group {group} cannot be imported "
                f"({one_line(error)}); fix or uninstall {point.value}"
            ) from None
        yield point, found
