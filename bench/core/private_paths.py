"""Removal of absolute paths from messages, because they contain user names.

Failures are part of records, packs and boards, which are published.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

_ABSOLUTE = re.compile(r"(?<![\w.:/~\\<-])/(?:[^\s/'\"`:;,()<>|]+/)+[^\s/'\"`:;,()<>|]*")
"""A path of two names or more that begins at the root."""


def without_private_paths(text: str) -> str:
    """Return `text` with paths relative to the working folder or `~`, others as file names."""
    # Whole folders first, because their names may have spaces.
    for find, inside, alone in ((Path.cwd, "", "."), (Path.home, "~/", "~")):
        # The folder may have been removed, and the user of a container may have no home.
        with suppress(OSError, RuntimeError):
            folder = find()
            if len(folder.parts) > 1:
                pattern = rf"(?<![\w.~-]){re.escape(str(folder))}"
                text = re.sub(f"{pattern}/", inside, text)
                text = re.sub(rf"{pattern}(?![\w.-])", alone, text)
    return _ABSOLUTE.sub(lambda match: PurePosixPath(match[0]).name, text)
