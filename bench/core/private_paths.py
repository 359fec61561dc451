"""Messages without absolute paths, which have the name of a person's home.

Failures go into records, packs and boards, which others read.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

_ABSOLUTE = re.compile(r"(?<![\w.:/~\\<-])/(?:[^\s/'\"`:;,()<>|]+/)+[^\s/'\"`:;,()<>|]*")
"""A path of two names or more that begins at the root."""


def without_private_paths(text: str) -> str:
    """Return `text` with paths below the working folder relative to it, and others as their name.

    The home of a person that stands alone or before a name is `~`.
    """
    # Whole folders first, for their names may have spaces.
    for find, inside, alone in ((Path.cwd, "", "."), (Path.home, "~/", "~")):
        # The folder may have been removed, and the user of a container may have no home.
        with suppress(OSError, RuntimeError):
            folder = find()
            if len(folder.parts) > 1:
                place = rf"(?<![\w.~-]){re.escape(str(folder))}"
                text = re.sub(f"{place}/", inside, text)
                text = re.sub(rf"{place}(?![\w.-])", alone, text)
    return _ABSOLUTE.sub(lambda found: PurePosixPath(found[0]).name, text)
