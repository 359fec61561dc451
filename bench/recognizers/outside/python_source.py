"""The source of a class "FILE.py:CLASS" or "package.module:CLASS", found without any import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bench.core.errors import BenchError, did_you_mean
from bench.core.files import existing_file
from bench.core.local_paths import local_path
from bench.core.printable import quoted
from bench.core.raised_at import is_installed


@dataclass(frozen=True)
class ClassSource:
    """A class in a source file.

    Attributes:
        file: The source file.
        module: The full name of the module; None for a file given by its path.
        name: The name of the class.
    """

    file: Path
    module: str | None
    name: str

    @property
    def label(self) -> str:
        """The class as in bench.toml, without folders."""
        return f"{self.module or self.file.name}:{self.name}"

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each source file on which the class depends, by its relative path.

        For a module of a package, these are all modules of the package. For a single installed
        module, it is that file. Otherwise they are the file and the modules in its folder that it
        imports, directly or indirectly.
        """
        depth = len((self.module or "").split(".")) - (self.file.name != "__init__.py")
        if self.module and depth:
            root = self.file.parents[depth - 1]
            files = sorted(root.rglob("*.py"))
        elif self.module and is_installed(self.file):
            root, files = self.file.parent, [self.file]
        else:
            root, files = self.file.parent, _with_imported_modules(self.file)
        return {
            file.relative_to(root).as_posix(): sha256(file.read_bytes()).hexdigest()
            for file in files
        }


def class_source(target: str, user: str) -> ClassSource:
    """Return the source of a class.

    Args:
        target: "FILE.py:CLASS" or "package.module:CLASS".
        user: The recognizer, for messages.

    Raises:
        BenchError: The target has neither form, or there is no such file or module.
    """
    where, name = split_target(target, user)
    if _is_path(where):
        return ClassSource(existing_file(where, user), None, name)
    return ClassSource(_module_file(where, user), where, name)


def split_target(target: str, user: str) -> tuple[str, str]:
    """Return the file or module, and the name of the class.

    Raises:
        BenchError: The target is neither "FILE.py:CLASS" nor "package.module:CLASS".
    """
    where, _, name = target.rpartition(":")
    if not where or not name.isidentifier():
        raise BenchError(
            f'{user}: {quoted(target)} does not name a class; write "my_reader.py:Reader" or '
            '"package.module:Reader"'
        )
    return where, name


def located_target(target: str, home: Path) -> str:
    """Return a target with the absolute path of its file, relative to the folder `home`."""
    where, colon, name = target.rpartition(":")
    return (
        f"{(home / local_path(where)).absolute()}:{name}" if colon and _is_path(where) else target
    )


def _is_path(where: str) -> bool:
    return where.endswith(".py") or "/" in where


def _module_file(module: str, user: str) -> Path:
    """Find the file of a module without running the code of its packages."""
    path: list[str] | None = None
    spec: ModuleSpec | None = None
    for depth, part in enumerate(module.split("."), 1):
        name = ".".join(module.split(".")[:depth])
        spec = PathFinder.find_spec(name, path) if part.isidentifier() else None
        if spec is None:
            remedy = "install its package, or write the path of a file that ends in .py"
            raise BenchError(f"{user}: there is no module '{name}'; {remedy}")
        path = [*(spec.submodule_search_locations or [])]
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise BenchError(
            f"{user}: module '{module}' has no source file, so changes of it would not be noticed; "
            "give a module that is a file"
        )
    return Path(spec.origin)


def _with_imported_modules(file: Path) -> list[Path]:
    """Return a source file and the modules in its folder that it imports, also indirectly."""
    files = [file]
    for source in files:  # the list grows in the loop
        for name in _imported_names(source):
            package = file.parent / name
            modules = [package.with_suffix(".py")]
            if (package / "__init__.py").is_file():
                modules = sorted(package.rglob("*.py"))
            files += [module for module in modules if module.is_file() and module not in files]
    return files


def _imported_names(source: Path) -> Iterator[str]:
    """Yield the top-level names that a source file imports; none if it cannot be parsed."""
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        else:
            continue
        yield from (name.partition(".")[0] for name in names)


def missing_class(source: ClassSource, classes: list[str], user: str) -> BenchError:
    """Return the error of a file without the class, with the nearest name of its classes."""
    hint = did_you_mean(source.name, classes) or "; define it"
    return BenchError(f"{user}: {source.file.name} has no class '{source.name}'{hint}")


def module_name(source: ClassSource) -> str:
    """Return the unique module name under which the file is imported."""
    name = source.module or f"bench_reader_{source.file.stem}"
    while source.module is None and name in sys.modules:
        name += "_"
    return name
