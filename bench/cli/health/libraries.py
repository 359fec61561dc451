"""Checks of libraries: torch and Ray in processes of their own, and extras."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bench
from bench.cli.health.check import Check
from bench.core.optional import Extra
from bench.core.printable import in_one_line
from bench.core.version import DISTRIBUTION, conflicting_distributions

_SECONDS = 300
"""How long a library may take to be imported; on a cold network disk it takes minutes."""
_TORCH = """
import json, torch, torchvision
gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
print(json.dumps({
    "version": torch.__version__,
    "torchvision": torchvision.__version__,
    "cuda": torch.version.cuda,
    "available": torch.cuda.is_available(),
    "gpus": gpus,
}))
"""
_RAY = "import json, ray, ray.tune; print(json.dumps({'version': ray.__version__}))"
_NVIDIA = Path("/proc/driver/nvidia/version")
_EXTRAS: Mapping[Extra, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "huggingface": ("transformers",),
    "rapidocr": ("rapidocr", "onnxruntime"),
    "easyocr": ("easyocr", "easyocr_en_models"),
}
"""Modules of each extra of the distribution."""


class ImportProbe:
    """A process that imports a library, so that one that is broken or slow does not harm this one.

    Args:
        program: What it runs; it prints one JSON document.
    """

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def document(self) -> dict[str, Any] | str:
        """Return the document, or what went wrong in one line."""
        try:
            out, err = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return f"its import has not ended after {_SECONDS} seconds"
        if self._process.returncode == 0:
            try:
                return dict(json.loads(out.splitlines()[-1]))
            except (IndexError, ValueError, TypeError):
                return "its import ends the process"
        lines = err.strip().splitlines()
        return in_one_line(lines[-1] if lines else f"exit code {self._process.returncode}")


def library_checks() -> Iterator[Check]:
    """Yield the checks of libraries; torch and Ray are imported at the same time."""
    yield _package(conflicting_distributions())
    torch, ray = ImportProbe(_TORCH), ImportProbe(_RAY)
    yield from _torch(torch.document())
    yield _ray(ray.document())
    yield from _extras()


def _package(others: Sequence[str]) -> Check:
    """Return the check of bench itself, which other distributions must not share a package with."""
    finding = f"{bench.__version__} ({Path(bench.__file__).parent})"
    if not others:
        return Check("bench", "ok", finding)
    names = ", ".join(others)
    fix = f"install {DISTRIBUTION} in an environment without {names}"
    return Check("bench", "warning", f"{finding}; {names} has files in the package `bench`", fix)


def _torch(document: dict[str, Any] | str) -> Iterator[Check]:
    if isinstance(document, str):
        fix = "install it again: pip install --force-reinstall torch torchvision"
        yield Check("torch", "failed", f"cannot be imported: {document}", fix)
        return
    versions = f"{document['version']}, torchvision {document['torchvision']}"
    yield Check("torch", "ok", versions)
    yield _cuda(document)


def _cuda(document: Mapping[str, Any]) -> Check:
    if document["available"]:
        gpus = ", ".join(document["gpus"])
        return Check("gpu", "ok", f"CUDA {document['cuda']}: {gpus}")
    if not _NVIDIA.exists():
        return Check("gpu", "ok", "none; trainings run on the CPU")
    built = f"CUDA {document['cuda']}" if document["cuda"] else "no CUDA"
    return Check(
        "gpu",
        "warning",
        f"there is an NVIDIA driver, but torch (built for {built}) cannot use it",
        "run nvidia-smi; install a torch for the CUDA version that it states (pytorch.org)",
    )


def _ray(document: dict[str, Any] | str) -> Check:
    if isinstance(document, str):
        fix = (
            "install it again: pip install --force-reinstall 'ray[tune]', or run with --executor "
            "inline"
        )
        return Check("ray", "failed", f"cannot be imported: {document}", fix)
    return Check("ray", "ok", document["version"])


def _extras() -> Iterator[Check]:
    for extra, modules in _EXTRAS.items():
        if missing := [name for name in modules if find_spec(name) is None]:
            fix = f"if you need it: pip install 'recognition-bench[{extra}]'"
            yield Check(extra, "note", f"not installed: {', '.join(missing)}", fix)
        else:
            yield Check(extra, "ok", "installed")
    if program := shutil.which("tesseract"):
        yield Check("tesseract", "ok", program)
    else:
        fix = "if you need it: apt-get install tesseract-ocr"
        yield Check("tesseract", "note", "not installed", fix)
