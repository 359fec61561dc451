"""A site: its pages by path, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

Site = Mapping[str, Callable[[], bytes]]
"""What gives each file, by its path below the site, such as `quick/v1/board.html`."""
INDEX = "index.html"


def write(site: Site, folder: Path) -> None:
    """Write every file of a site into `folder`."""
    for path, content in site.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content())
