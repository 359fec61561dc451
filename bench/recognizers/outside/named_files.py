"""Values of bench.toml that name files: found from its folder, and represented by their content.

A text names a file if it has a dot or a slash and there is such a file. So numbers and words are
never taken for files that happen to be called so. `package:DISTRIBUTION/path/inside` names a file
of an installed package; it keeps its name up to where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.files import PACKAGE, existing_file, file_digest, located_file
from bench.core.local_paths import local_path


def locate_files(value: Any, home: Path) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return `value` with an absolute path for each text in it that names a file in `home`."""
    if isinstance(value, str):
        file = None if value.startswith(PACKAGE) else named_file(value, home)
        return value if file is None else str(file)
    if isinstance(value, dict):
        return {key: locate_files(item, home) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [locate_files(item, home) for item in value]
    return value


def require_files(values: Any, home: Path, user: str) -> Any:  # noqa: ANN401 (as TOML has it)
    """Return `files` of a recognizer with absolute paths.

    Raises:
        BenchError: One of them is not a file.
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
    """Return `value` with the path of each file of a package in it.

    Raises:
        BenchError: The package, or the file in it, is missing.
    """
    if isinstance(value, str) and value.startswith(PACKAGE):
        return str(existing_file(value, "a parameter"))
    if isinstance(value, dict):
        return {key: resolve_package_files(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_package_files(item) for item in value]
    return value


def files_as_digests(value: Any, user: str) -> Any:  # noqa: ANN401 (any value of TOML)
    """Return `value` with name and SHA-256 in place of each text in it that names a file.

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
    """Return a text as boards print it: a file without its folders."""
    file = named_file(value, Path())
    return value if file is None else file.name


def named_file(value: str, home: Path) -> Path | None:
    """Return the file that a text names, found from `home`.

    Raises:
        BenchError: It names a file of a package that is missing.
    """
    if value.startswith(PACKAGE):
        return existing_file(value, "a parameter")
    if "." not in value and "/" not in value:
        return None
    try:
        file = (home / local_path(value)).absolute()
        return file if file.is_file() else None
    # Too long for a path, or not one at all.
    except (OSError, BenchError):
        return None


def folder_digests(folder: Path, user: str) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder by its path there; hidden ones are left out.

    Raises:
        BenchError: There is no such folder, it has no file, or one cannot be read.
    """
    if not folder.is_dir():
        raise BenchError(f"{user}: the folder '{folder}' does not exist; give the path of a folder")
    names = sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    )
    shown_names = [name for name in names if not any(p.startswith(".") for p in name.split("/"))]
    if not shown_names:
        raise BenchError(f"{user}: the folder '{folder}' is empty; give the folder of a model")
    return {name: file_digest(str(folder / name), user) for name in shown_names}
