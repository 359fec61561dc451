"""Plug-ins: files of Python with components of one's own, each a module below `bench.plugins`.

Their content is read once per command and handed to all processes in an environment variable. So
forks, new interpreters and workers of Ray import what this process has hashed into keys, also where
the file was edited since, or is not there.
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
"""Of a variable of the environment; Linux allows 128 KiB."""
_MAX_SOURCE = 2**24
"""Bytes of one file."""


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
        """The name that it is imported under, which follows from that of the file."""
        return f"{PACKAGE}.{re.sub(r'[^0-9a-zA-Z_]', '_', Path(self.path).stem)}"

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its content."""
        return sha256(self.source).hexdigest()


def settle(paths: Sequence[Path]) -> None:
    """Let this process, and those that it starts, import the plug-ins in these files.

    Raises:
        BenchError: There is no such file, two have the same module name, or they are too large.
    """
    # Each file once, by the name under which it was listed first.
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
                f"the plug-ins {', '.join(file.name for file in files)} are too large together: "
                f"{len(content):,} of {_MAX_BYTES:,} bytes, compressed; move data out of them into "
                "files that they read"
            )
        os.environ[VARIABLE] = content
    else:
        os.environ.pop(VARIABLE, None)
    _forget_others()


def read_file(path: Path) -> PluginFile:
    """Read a plug-in. Raises BenchError where it is not a file of Python, or cannot be read."""
    if path.suffix != ".py":
        raise BenchError(f"plug-in '{path}' is not a file of Python; its name has to end with .py")
    try:
        return PluginFile(str(path.absolute()), read_regular(path, _MAX_SOURCE))
    except OSError as error:
        fault = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise BenchError(
            f"plug-in '{path}' {fault} ({error.strerror}); give the path of a file"
        ) from None


def plugin_files() -> tuple[PluginFile, ...]:
    """Return the plug-ins of this process, in the order in which they were listed."""
    return _decoded(os.environ.get(VARIABLE, ""))


def plugin_of(module: str) -> PluginFile | None:
    """Return the plug-in that is imported as `module`, None where none is."""
    if not module.startswith(f"{PACKAGE}."):
        return None
    return next((file for file in plugin_files() if file.module == module), None)


def with_how_to_add(sentence: str, faults: Iterable[str] = ()) -> str:
    """Return a sentence on a name that was not found, and how to add a component of that name.

    Args:
        sentence: It may end in a question.
        faults: What is wrong with components that cannot be used: the name may be that of one.
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
            f"the environment variable {VARIABLE} is not what bench has set; unset it"
        ) from None


def _forget_others() -> None:
    """Remove modules of plug-ins that are no longer listed, or were read again and differ."""
    files = {file.module: file for file in plugin_files()}
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        loader = getattr(sys.modules[name], "__loader__", None)
        if getattr(loader, "file", None) != files.get(name):
            del sys.modules[name]
