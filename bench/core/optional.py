"""Optional libraries, which are extras of bench."""

from __future__ import annotations

import importlib
import importlib.util
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Literal

from bench.core.errors import BenchError, one_line

Extra = Literal["easyocr", "huggingface", "onnx", "rapidocr"]
"""The extras of the distribution, as pyproject.toml declares them."""


def import_extra(module: str, extra: Extra, user: str) -> ModuleType:
    """Return an optional module.

    Args:
        module: Its full name.
        extra: The extra that installs it.
        user: What requires it: the begin of the error's sentence.

    Raises:
        BenchError: It is not installed, or its import fails.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise BenchError(not_installed(missing.partition(".")[0], extra, user)) from None
    except (Exception, SystemExit) as error:
        raise BenchError(
            f"{user} requires {module}, which cannot be imported ({one_line(error)}); "
            f"install it again with: pip install 'recognition-bench[{extra}]'"
        ) from error


def installed_version(package: str, extra: Extra, user: str) -> str:
    """Return the version of an optional package, without importing it.

    Raises:
        BenchError: It is not installed.
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise BenchError(not_installed(package, extra, user)) from None


def installed_folder(module: str, extra: Extra, user: str) -> Path:
    """Return the folder of an optional top-level module, without importing it.

    Raises:
        BenchError: It is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise BenchError(not_installed(module, extra, user))
    return Path(spec.origin).parent


def not_installed(package: str, extra: Extra, user: str) -> str:
    """Return the error's sentence, which names the extra."""
    return (
        f"{user} requires {package}, which is not installed; "
        f"install it with: pip install 'recognition-bench[{extra}]'"
    )
