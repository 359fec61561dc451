"""The modules of plug-ins, imported: what each declares, and which cannot be imported."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.core.errors import one_line
from bench.core.plugin_files import PluginFile, plugin_files
from bench.core.raised_at import raised_at

if TYPE_CHECKING:
    from types import ModuleType

T = TypeVar("T")


def plugin_modules() -> dict[PluginFile, ModuleType]:
    """Return the plug-ins of this process that can be imported, each with its module."""
    return _imported(plugin_files())[0]


def import_faults() -> tuple[str, ...]:
    """Return a sentence for each plug-in that cannot be imported."""
    return _imported(plugin_files())[1]


def declared(base: type[T]) -> Iterator[tuple[PluginFile, type[T]]]:
    """Yield the subclasses of `base` that plug-ins declare themselves, abstract ones too."""
    for file, module in plugin_modules().items():
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, base)
                and value.__module__ == file.module
            ):
                yield file, value


@lru_cache(maxsize=1)
def _imported(
    files: tuple[PluginFile, ...],
) -> tuple[dict[PluginFile, ModuleType], tuple[str, ...]]:
    modules, faults = {}, []
    for file in files:
        try:
            modules[file] = importlib.import_module(file.module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a file of others raises)
            where = raised_at(error) or file.name
            remedy = "fix it, or remove it from the list"
            if isinstance(error, ModuleNotFoundError) and _is_beside(file, error.name or ""):
                remedy = "files of `plugins` cannot import each other; join them, or make a package"
            faults.append(
                f"plug-in {file.path} cannot be imported ({one_line(error)}, at {where}); {remedy}"
            )
    return modules, tuple(faults)


def _is_beside(file: PluginFile, module: str) -> bool:
    return Path(file.path).with_name(f"{module.partition('.')[0]}.py").is_file()
