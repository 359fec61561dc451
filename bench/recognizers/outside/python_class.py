"""Import and construction of a user's class, with errors that name the line of the user's code."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.core.errors import BenchError, did_you_mean, one_line
from bench.core.raised_at import raised_at
from bench.recognizers.outside.python_source import ClassSource, missing_class, module_name


@contextmanager
def imported_class(source: ClassSource, user: str) -> Iterator[type]:
    """Import a class and yield it; within the context, its file can import modules of its folder.

    Raises:
        BenchError: The import fails, or there is no such class.
    """
    folder = str(source.file.parent)
    before = set(sys.modules)
    if source.module is None:
        sys.path.insert(0, folder)
    try:
        yield _class(source, user)
    finally:
        if source.module is None:
            with suppress(ValueError):  # the class has removed it
                sys.path.remove(folder)
            _forget(folder, before)


def construct_reader(
    kind: type, parameters: dict[str, Any], offered: dict[str, Any], user: str
) -> object:
    """Return a new object of the user's class.

    Args:
        kind: The class.
        parameters: The arguments of the constructor, by name.
        offered: Further arguments, each used only if the constructor has a parameter of its name.
        user: The class, for messages.

    Raises:
        BenchError: The constructor does not accept the arguments, or raises.
    """
    signature = inspect.signature(kind)
    names = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    ]
    given = {name: value for name, value in offered.items() if name in names} | parameters
    try:
        signature.bind(**given)
    except TypeError as error:
        if unknown := [name for name in parameters if name not in names]:
            # There is no nearest name in an empty list.
            hint = did_you_mean(unknown[0], names) or "; it takes none"
            raise BenchError(f"{user} has no parameter '{unknown[0]}'{hint}") from None
        raise BenchError(f"{user}: {error}; set it in parameters = {{ … }}") from None
    with user_code_errors(f"{user} cannot be constructed", inspect.getfile(kind)):
        return kind(**given)


@contextmanager
def user_code_errors(what: str, file: str | Path) -> Iterator[None]:
    """Convert any exception of the user's code to a BenchError with a line of their own files.

    This includes exceptions that are not an Exception, such as SystemExit or the panic of a Rust
    library, but not KeyboardInterrupt.

    Args:
        what: The beginning of the message.
        file: The file of the user's code.

    Raises:
        BenchError: The code raises.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        position = raised_at(error, [Path(file)]) or Path(file).name
        raise BenchError(f"{what}: {position}: {one_line(error)}") from error


def _class(source: ClassSource, user: str) -> type:
    with user_code_errors(f"{user} cannot be imported", source.file):
        module = (
            _import_file(source)
            if source.module is None
            else importlib.import_module(source.module)
        )
    kind = getattr(module, source.name, None)
    if not isinstance(kind, type):
        own = [
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise missing_class(source, own, user)
    if not callable(getattr(kind, "read", None)):
        raise BenchError(
            f"{user} has no method 'read'; add read(self, images), which returns one text per image"
        )
    return kind


def _import_file(source: ClassSource) -> ModuleType:
    name = module_name(source)
    spec = spec_from_file_location(name, source.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{source.file} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _forget(folder: str, before: set[str]) -> None:
    """Remove the modules of a folder from `sys.modules`, which may hide those of another class."""
    for name in sys.modules.keys() - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and file.startswith(f"{folder}/"):
            del sys.modules[name]
