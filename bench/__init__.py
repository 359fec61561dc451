"""bench: fair, reproducible leaderboards for sequence recognition.

The names below are the library. Each is imported when it is first used, so `import bench` imports
neither torch nor ray; `bench docs api` documents them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.api.boards import Board, load_board
    from bench.api.comparisons import Comparison, compare
    from bench.api.evaluating import evaluate
    from bench.api.figures import Figure, Figures, figures
    from bench.api.predictions import Predictions, load_predictions
    from bench.api.running import RunError, run
    from bench.api.scores import MetricScore, Scores, score
    from bench.api.suites import Plan, Suite, load_suite
    from bench.core.errors import BenchError, BenchWarning
    from bench.core.version import __version__ as __version__

__all__ = [
    "BenchError",
    "BenchWarning",
    "Board",
    "Comparison",
    "Figure",
    "Figures",
    "MetricScore",
    "Plan",
    "Predictions",
    "RunError",
    "Scores",
    "Suite",
    "compare",
    "evaluate",
    "figures",
    "load_board",
    "load_predictions",
    "load_suite",
    "run",
    "score",
]

_MODULES = {
    "core.errors": ("BenchError", "BenchWarning"),
    "core.version": ("__version__",),
    "api.boards": ("Board", "load_board"),
    "api.comparisons": ("Comparison", "compare"),
    "api.evaluating": ("evaluate",),
    "api.figures": ("Figure", "Figures", "figures"),
    "api.predictions": ("Predictions", "load_predictions"),
    "api.running": ("RunError", "run"),
    "api.scores": ("MetricScore", "Scores", "score"),
    "api.suites": ("Plan", "Suite", "load_suite"),
}
"""The names of the library, by the module that declares them."""


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
