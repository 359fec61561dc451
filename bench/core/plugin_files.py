"""Plug-ins: Python files with a user's components, each imported as a module of `bench.plugins`.

Their content is read once per command and passed to all processes in an environment variable. So
forks, new interpreters and workers of Ray import the content that was hashed into keys, even where
the file was edited since, or does not exist.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec

from bench.core.errors import BenchError
from bench.core.regular_files import read_regular

PACKAGE = "bench.plugins"
VARIABLE = "BENCH_PLUGIN_SOURCES"
_MAX_BYTES = 120_000
"""Bytes of an environment variable; Linux allows 128 KiB."""
_MAX_SOURCE = 2**24
"""Bytes of a single plug-in."""


@dataclass(frozen=True)
class PluginFile:
    """A plug-in as it was read.

    Attributes:
        path: The absolute path of the file.
        source: Its content.
    """

    path: str
    source: bytes

    @property
    def name(self) -> str:
        """The name of the file."""
        return Path(self.path).name

    @property
    def module(self) -> str:
        """The name under which it is imported, derived from the name of the file."""
        return f"{PACKAGE}.{re.sub(r'[^0-9a-zA-Z_]', '_', Path(self.path).stem)}"

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its content."""
        return sha256(self.source).hexdigest()


def set_plugins(paths: Sequence[Path]) -> None:
    """Set the plug-ins of this process and of those that it starts, in place of earlier ones.

    They are then modules of `bench.plugins`, which nothing has imported yet.

    Raises:
        BenchError: There is no such file, two have the same module name, or they are too large.
    """
    # Each file once, by the path that was listed first.
    unique = {path.resolve(): path for path in reversed(paths)}
    files = [read_file(path) for path in reversed(unique.values())]
    modules: dict[str, PluginFile] = {}
    for file in files:
        other = modules.setdefault(file.module, file)
        if other is not file:
            raise BenchError(
                f"plug-ins {other.path} and {file.path} have the same name; rename one of them"
            )
    if files:
        packed = zlib.compress(msgspec.json.encode(files), 9)
        content = base64.urlsafe_b64encode(packed).decode()
        if len(content) > _MAX_BYTES:
            raise BenchError(
                f"the plug-ins {', '.join(file.name for file in files)} are together too large: "
                f"{len(content):,} bytes compressed, of at most {_MAX_BYTES:,}; move their data "
                "into files that they read"
            )
        os.environ[VARIABLE] = content
    else:
        os.environ.pop(VARIABLE, None)
    _forget_others()


def read_file(path: Path) -> PluginFile:
    """Read a plug-in. Raises BenchError if it is not a Python file, or cannot be read."""
    if path.suffix != ".py":
        raise BenchError(f"plug-in '{path}' is not a Python file; its name has to end with .py")
    try:
        return PluginFile(str(path.absolute()), read_regular(path, _MAX_SOURCE))
    except OSError as error:
        fault = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise BenchError(
            f"plug-in '{path}' {fault} ({error.strerror}); correct its path, or remove it from the "
            "list"
        ) from None


def plugin_files() -> tuple[PluginFile, ...]:
    """Return the plug-ins of this process, in the order in which they were listed."""
    return _decoded(os.environ.get(VARIABLE, ""))


def plugin_of(module: str) -> PluginFile | None:
    """Return the plug-in that is imported as `module`, or None."""
    if not module.startswith(f"{PACKAGE}."):
        return None
    return next((file for file in plugin_files() if file.module == module), None)


def with_how_to_add(sentence: str, faults: Iterable[str] = ()) -> str:
    """Return a sentence about an unknown name, followed by how to add a component of that name.

    Args:
        sentence: It may end in a question.
        faults: Sentences on components that cannot be used, as the name may belong to one.
    """
    start = " To" if sentence.endswith("?") else "; to"
    how = "add your own, list its file in `plugins` of bench.toml, or pass --plugin FILE"
    return "; ".join([f"{sentence}{start} {how}", *faults])


@lru_cache(maxsize=8)
def _decoded(content: str) -> tuple[PluginFile, ...]:
    if not content:
        return ()
    try:
        packed = base64.urlsafe_b64decode(content)
        return msgspec.json.decode(zlib.decompress(packed), type=tuple[PluginFile, ...])
    except (binascii.Error, zlib.error, msgspec.DecodeError):
        raise BenchError(
            f"the environment variable {VARIABLE} was not set by bench; unset it"
        ) from None


def _forget_others() -> None:
    """Remove imported modules of plug-ins that are no longer listed or have changed."""
    files = {file.module: file for file in plugin_files()}
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        loader = getattr(sys.modules[name], "__loader__", None)
        if getattr(loader, "file", None) != files.get(name):
            del sys.modules[name]
