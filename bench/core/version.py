"""The version of bench, and whether another distribution shares its import package."""

from __future__ import annotations

from importlib import metadata

DISTRIBUTION = "recognition-bench"
UNKNOWN = "0+unknown"
"""The version of a source tree that was not installed."""


def _installed_version() -> str:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN


__version__ = _installed_version()
"""The version that the installed distribution states, else `0+unknown`."""


def conflicting_distributions() -> list[str]:
    """Return the other installed distributions that have files in the import package `bench`.

    `pip` lets them overwrite each other's files.
    """
    owners = {
        str(each.metadata["Name"])
        for each in metadata.distributions()
        # `packages_distributions` parses these lists of files, which takes a second.
        if "\nbench/" in f"\n{each.read_text('RECORD') or ''}"
    }
    return sorted(owners - {DISTRIBUTION})
