"""The provenance of records: commit, sources, versions, hardware. It is not part of keys."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from bench.core.components import Augmentation
from bench.core.plugin_files import plugin_files
from bench.core.schema import NonNegativeFloat, NonNegativeInt
from bench.core.sources import outside_source

if TYPE_CHECKING:
    from bench.core.components import Component

PACKAGES = (
    "torch",
    "numpy",
    "ray",
    "easyocr",
    "editdistance",
    "fast-ctc-decoder",
    "onnxruntime",
    "onnxruntime-gpu",
    "pyarrow",
    "rapidocr",
    "regex",
    "scikit-learn",
    "transformers",
)
COMPUTING = ("core", "nn", "decoding", "data", "recognizers", "training", "tasks", "evaluation")
"""The packages of bench that affect results, besides the files of a task's own components."""
_DIGITS = 12


@dataclass(frozen=True)
class Origin:
    """The source of a component from outside bench; None: unknown.

    Attributes:
        file: The name of its source file.
        distribution: The installed distribution that has it.
        version: The version of that distribution; of a plug-in without a commit, the first digits
            of the SHA-256 of its content.
        commit: The commit of the git checkout that has the file, followed by + if the file differs
            from that commit.
    """

    file: str
    distribution: str | None
    version: str | None
    commit: str | None


@dataclass(frozen=True)
class Device:
    """The device that a task computed on.

    Attributes:
        name: "cpu" or "cuda".
        gpu: The name of the GPU.
        driver: The version of its driver; None where it is unknown.
        cuda: The version of CUDA that torch was built with.
        cudnn: The version of cuDNN.
    """

    name: str
    gpu: str | None = None
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None


@dataclass(frozen=True)
class Provenance:
    """The code, versions and hardware that made a record.

    Attributes:
        bench: The version of bench.
        commit: The commit of bench's checkout; None outside of one.
        dirty: Whether files of the package differed from that commit.
        python: The version of Python.
        packages: Versions of the installed packages that affect results.
        platform: The operating system.
        cpu: The processor's name.
        cores: The number of cores of the machine.
        gpu: The name of the GPU, where one was used.
        device: What torch computed on.
        threads: Compute threads.
        seed: The seed of the task.
        finished: The time, in UTC.
        workers: Processes that prefetched batches.
        sources: A digest of each source file of bench that affects the results.
        components: The origin of each component from outside bench, by name.
        driver: The version of the GPU's driver; None on a CPU, as the next three are.
        cuda: The version of CUDA that torch was built with.
        cudnn: The version of cuDNN.
        gpus: How many GPUs were reserved; 0 if one was used that was not reserved.
        precision: The precision that a training computed in, as in its recipe.
    """

    bench: str
    commit: str | None
    dirty: bool
    python: str
    packages: dict[str, str]
    platform: str
    cpu: str
    cores: NonNegativeInt
    gpu: str | None
    device: str
    threads: NonNegativeInt
    seed: NonNegativeInt
    finished: str
    workers: NonNegativeInt = 0
    sources: dict[str, str] = field(default_factory=dict)
    components: dict[str, Origin] = field(default_factory=dict)
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    gpus: NonNegativeFloat | None = None
    precision: str | None = None

    @property
    def shared_gpu(self) -> bool:
        """Whether it reserved only a part of its GPU, so that other tasks could share it."""
        return self.gpu is not None and self.gpus is not None and self.gpus < 1

    @property
    def charged_gpus(self) -> float:
        """The number of GPUs to multiply time by: those reserved, or 1 if none was reserved."""
        return (self.gpus or 1.0) if self.gpu is not None else 0.0

    @property
    def revision(self) -> str:
        """The version of the code: bench's commit or version, or those of outside components."""
        ours = self.commit[:9] if self.commit else f"v{self.bench}"
        outside = [
            f"{name} {origin.commit or origin.version or 'unknown'}"
            for name, origin in self.components.items()
        ]
        return ", ".join(outside) or ours + ("+" if self.dirty else "")


def collect(
    components: Iterable[Component],
    *,
    device: Device,
    threads: int,
    seed: int,
    workers: int = 0,
    gpus: float = 0.0,
    precision: str | None = None,
) -> Provenance:
    """Return the provenance of a task that this process has just computed.

    Args:
        components: The components whose code affects the results of the task.
        device: The device that it computes on.
        threads: Compute threads.
        seed: The seed of the task.
        workers: Processes that prefetch batches.
        gpus: How many GPUs are reserved for it; not recorded on a CPU.
        precision: The precision that a training computes in.
    """
    components = [*components]
    commit, dirty = revision()
    files = {component.name: outside_source(type(component)) for component in components}
    return Provenance(
        bench=bench.__version__,
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        packages=_versions(),
        platform=platform.platform(),
        cpu=cpu_model(),
        cores=os.cpu_count() or 1,
        gpu=device.gpu,
        device=device.name,
        threads=threads,
        seed=seed,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        workers=workers,
        sources=computing_sources(components),
        components={name: origin(file) for name, file in files.items() if file},
        driver=device.driver,
        cuda=device.cuda,
        cudnn=device.cudnn,
        gpus=gpus if device.gpu else None,
        precision=precision,
    )


def changed_sources(sources: Mapping[str, str]) -> list[str]:
    """Return the files in a record's `sources` whose content has changed since."""
    today = source_digests()
    return sorted(file for file, held in sources.items() if today.get(file) != held)


def computing_sources(components: Iterable[Component]) -> dict[str, str]:
    """Return the source files of bench that affect the results of a task, with their digests."""
    own = {
        f"{type(component).__module__.removeprefix('bench.').replace('.', '/')}.py"
        for component in components
    }
    # Of data sets, models and losses, only those of the task; and augmentations where it has one.
    augmented = any(isinstance(component, Augmentation) for component in components)
    shared = tuple(f"{package}/" for package in COMPUTING)
    return {
        file: held
        for file, held in source_digests().items()
        if file in own
        or (
            file.startswith(shared)
            and not _is_other_dataset(file)
            and (augmented or not file.startswith("data/augmentation/"))
        )
    }


def _is_other_dataset(file: str) -> bool:
    return file.startswith(("data/datasets/", "data/raw/", "data/inspection/"))


@cache
def source_digests() -> dict[str, str]:
    """Return a digest of each source file of bench.

    They are computed once: a running process does not execute later edits.
    """
    package = Path(bench.__file__).parent
    return {
        file.relative_to(package).as_posix(): sha256(file.read_bytes()).hexdigest()[:_DIGITS]
        for file in sorted(package.rglob("*.py"))
    }


@cache
def origin(file: Path) -> Origin:
    """Return the origin of the source file of a component from outside bench."""
    from importlib import metadata

    distribution = version = None
    for name in metadata.packages_distributions().get(_top_level(file), []):
        distribution, version = name, metadata.version(name)
    commit = _git(file.parent, "rev-parse", "--short=9", "HEAD")
    tracked = commit and _git(file.parent, "ls-files", "--", file.name)
    changed = tracked and _git(file.parent, "status", "--porcelain", "--", file.name)
    plugin = next((each for each in plugin_files() if each.path == str(file)), None)
    if plugin:
        distribution, version = None, None if tracked else plugin.digest[:_DIGITS]
    return Origin(
        file=file.name,
        distribution=distribution,
        version=version,
        commit=f"{commit}{'+' if changed else ''}" if tracked else None,
    )


def _top_level(file: Path) -> str:
    """Return the name of the top-level module that has `file`."""
    module = file.with_suffix("")
    while (module.parent / "__init__.py").is_file():
        module = module.parent
    return module.name


@cache
def revision() -> tuple[str | None, bool]:
    """Return the commit of bench's own checkout, and whether the package differs from it."""
    package = Path(bench.__file__).parent
    commit = _git(package, "rev-parse", "HEAD")
    if not commit or _git(package, "ls-files", "--", "__init__.py") != "__init__.py":
        return None, False
    return commit, bool(_git(package, "status", "--porcelain", "--", "."))


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


@cache
def _versions() -> dict[str, str]:
    from importlib import metadata

    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@cache
def cpu_model() -> str:
    """Return the name of the processor as the system reports it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
