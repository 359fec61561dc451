"""Where plug-ins are imported: `bench.plugins.my_loss` is a file my_loss.py that bench.toml lists.

This package has no modules of its own. Because it finds plug-ins by itself, pickled components of
them are loaded in every process that can import bench.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

from bench.core.plugin_files import PluginFile, plugin_of


class PluginLoader(SourceLoader):
    """Runs a plug-in as it was read when the command began.

    Attributes:
        file: The plug-in.
    """

    def __init__(self, file: PluginFile) -> None:
        self.file = file

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 (it loads one module)
        """Return the path of the file."""
        return self.file.path

    def get_data(self, path: str) -> bytes:
        """Return the source; byte code is not kept."""
        if path != self.file.path:
            raise FileNotFoundError(path)
        return self.file.source


class PluginFinder(MetaPathFinder):
    """Finds the plug-ins of this process."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (plug-ins are found by name)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return how to import `fullname`, None if it is not a plug-in."""
        file = plugin_of(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file.path, loader=PluginLoader(file))


sys.meta_path.append(PluginFinder())
