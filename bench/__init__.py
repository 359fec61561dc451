"""bench: fair, reproducible leaderboards for sequence recognition."""

from __future__ import annotations

__version__: str


def __getattr__(name: str) -> str:
    # Only on request, because importlib.metadata takes a tenth of the time of `bench --help`.
    if name == "__version__":
        from bench.core.version import bench_version

        globals()[name] = version = bench_version()
        return version
    raise AttributeError(f"module 'bench' has no attribute '{name}'")
