"""Source files of components from outside bench, which their keys depend on."""

from __future__ import annotations

import inspect
from functools import cache
from hashlib import sha256
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.plugin_files import plugin_of


def outside_source(component: type) -> Path | None:
    """Return the file that declares a class from outside bench, None for a class of bench.

    Raises:
        BenchError: The class has no source file.
    """
    if plugin := plugin_of(component.__module__):
        return Path(plugin.path)
    if component.__module__.partition(".")[0] == "bench":
        return None
    try:
        return Path(inspect.getfile(component))
    except (OSError, TypeError):
        raise BenchError(
            f"'{component.__name__}' has no source file, so its results could not be told from "
            "those of an edited one; declare it in a file"
        ) from None


def source_spec(component: type) -> dict[str, dict[str, str]]:
    """Return what the source of a class adds to a key: nothing for one of bench.

    An edited loss is another loss. Components of bench raise their `version` instead.
    """
    if plugin := plugin_of(component.__module__):
        # The file may have been edited since it was read, or be on another machine.
        return {"source": {"file": plugin.name, "sha256": plugin.digest}}
    file = outside_source(component)
    return {} if file is None else {"source": _digest(file)}


@cache
def _digest(file: Path) -> dict[str, str]:
    # Once per process: later edits are not what runs.
    return {"file": file.name, "sha256": sha256(file.read_bytes()).hexdigest()}
