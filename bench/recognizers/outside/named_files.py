"""Parameters of bench.toml that are paths of files: absolute paths, and content for keys.

A text is the path of a file if it has a dot or a slash and the file exists. So numbers and words
are not confused with files of the same name. `package:DISTRIBUTION/path/inside` is a file of an
installed package; it is resolved when it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.files import PACKAGE, existing_file, file_digest, located_file
from bench.core.local_paths import local_path


def locate_files(value: Any, home: Path) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return a value with absolute paths in place of texts that are paths of files from `home`."""
    if isinstance(value, str):
        file = None if value.startswith(PACKAGE) else named_file(value, home)
        return value if file is None else str(file)
    if isinstance(value, dict):
        return {key: locate_files(item, home) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [locate_files(item, home) for item in value]
    return value


def require_files(values: Any, home: Path, user: str) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return the parameter `files` of a recognizer with absolute paths.

    Args:
        values: The value of the parameter.
        home: The folder to which paths are relative.
        user: The recognizer, for messages.

    Raises:
        BenchError: A file does not exist.
    """
    if not isinstance(values, list | tuple):
        return values
    files = [
        located_file(value, home.absolute()) if isinstance(value, str) else value
        for value in values
    ]
    for file in files:
        if isinstance(file, str):
            existing_file(file, f"files of {user}")
    return files


def resolve_package_files(value: Any) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return a value with paths in place of texts that name files of installed packages.

    Raises:
        BenchError: A package or its file is missing.
    """
    if isinstance(value, str) and value.startswith(PACKAGE):
        return str(existing_file(value, "a parameter"))
    if isinstance(value, dict):
        return {key: resolve_package_files(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_package_files(item) for item in value]
    return value


def files_as_digests(value: Any, user: str) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return a value with name and SHA-256 in place of texts that are paths of files.

    Args:
        value: A parameter.
        user: The recognizer, for messages.

    Raises:
        BenchError: A file cannot be read.
    """
    if isinstance(value, str):
        file = named_file(value, Path())
        if file is None:
            return value
        return {"file": file.name, "sha256": file_digest(str(file), f"a parameter of {user}")}
    if isinstance(value, dict):
        return {key: files_as_digests(item, user) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [files_as_digests(item, user) for item in value]
    return value


def without_folders(value: str) -> str:
    """Return a text as boards print it: the path of a file becomes its name."""
    file = named_file(value, Path())
    return value if file is None else file.name


def named_file(value: str, home: Path) -> Path | None:
    """Return the file whose path from `home` a text is; None if it is not one.

    Raises:
        BenchError: The text names a missing file of an installed package.
    """
    if value.startswith(PACKAGE):
        return existing_file(value, "a parameter")
    if "." not in value and "/" not in value:
        return None
    try:
        file = (home / local_path(value)).absolute()
        return file if file.is_file() else None
    # The text is too long for a path, or is not a path.
    except (OSError, BenchError):
        return None


def folder_digests(folder: Path, user: str) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder, by its relative path; hidden files are left out.

    Args:
        folder: The folder; files in subfolders are included.
        user: The recognizer, for messages.

    Raises:
        BenchError: The folder is missing or empty, or a file cannot be read.
    """
    if not folder.is_dir():
        raise BenchError(f"{user}: the folder '{folder}' does not exist; give the path of a folder")
    names = sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    )
    visible = [name for name in names if not any(p.startswith(".") for p in name.split("/"))]
    if not visible:
        raise BenchError(f"{user}: the folder '{folder}' is empty; give the folder of a model")
    return {name: file_digest(str(folder / name), user) for name in visible}
