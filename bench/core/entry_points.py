"""Entry points by which installed packages register components with bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.core.errors import one_line
from bench.core.raised_at import raised_at

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def load(group: str, name: str | None = None) -> tuple[list[tuple[EntryPoint, Any]], list[str]]:
    """Import the entry points of `group`, or those called `name`.

    It reads the metadata of every installed package, which is slow.

    Returns:
        The entry points with their objects, and a sentence per entry point that fails.
    """
    from importlib.metadata import entry_points

    points = entry_points(group=group) if name is None else entry_points(group=group, name=name)
    loaded, faults = [], []
    for point in points:
        try:
            loaded.append((point, point.load()))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a package raises)
            where = raised_at(error, _files(point))
            faults.append(
                f"entry point '{point.name}' of group {group} cannot be imported "
                f"({one_line(error)}{f', at {where}' if where else ''}); "
                f"fix or uninstall {point.value}"
            )
    return loaded, faults


def _files(point: EntryPoint) -> list[Any]:
    """Return the files of the package that has an entry point."""
    files = (point.dist and point.dist.files) or []
    return [file.locate() for file in files if file.suffix == ".py"]
