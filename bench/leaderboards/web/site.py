"""A site: functions that make its files, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

Site = Mapping[str, Callable[[], bytes]]
"""Functions that return the content of a file, by its path such as `quick/v1/board.html`."""
INDEX = "index.html"


def write_site(site: Site, folder: Path) -> None:
    """Write every file of a site into `folder`."""
    for path, content in site.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content())
