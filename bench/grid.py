"""A suite to its trials: the product, what fits together, keys and named seeds."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.components import incompatibility
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.components import Dataset, Loss, Model
    from bench.config import Recipe, Resources, Suite
    from bench.metrics.protocols import Protocol


@dataclass(frozen=True)
class Trial:
    """One dataset × model × loss × seed under a recipe and a protocol."""

    dataset: Dataset
    model: Model
    loss: Loss
    seed: int
    training: Recipe
    protocol: Protocol
    resources: Resources

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that decides this trial's numbers, as JSON values; its key is their hash."""
        return {
            "dataset": self.dataset.spec() | {"fingerprint": self.dataset.fingerprint()},
            "model": self.model.spec(),
            "loss": self.loss.spec(),
            "training": asdict(self.training),
            "protocol": self.protocol.spec(),
            "seed": self.seed,
        }

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the spec. Commit and machine are no part of it."""
        return digest(self.spec)

    @property
    def labels(self) -> dict[str, str]:
        """What boards call the three components."""
        return {
            "dataset": self.dataset.label,
            "model": self.model.label,
            "loss": self.loss.label,
        }

    @property
    def label(self) -> str:
        """What a person calls this trial."""
        return " · ".join([*self.labels.values(), f"seed {self.seed}"])

    def named_seed(self, purpose: str) -> int:
        """Return a seed in [0, 2⁶³) for one purpose, so that no two draws share a stream."""
        text = f"{self.seed}/{purpose}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def digest(spec: object) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `spec` as canonical JSON."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def trials(suite: Suite) -> list[Trial]:
    """Return the suite's grid, all of one seed before the next.

    A partial run so compares everything once before it repeats anything. Raises BenchError on a
    triple that cannot be, unless the suite skips those, and where none is left.
    """
    found = []
    for seed, dataset, model, loss in itertools.product(
        suite.seeds, suite.datasets, suite.models, suite.losses
    ):
        if reason := incompatibility(dataset, model, loss):
            if suite.skip_incompatible:
                continue
            raise BenchError(
                f"suite '{suite.name}': {reason}; take one of them out, "
                "or set skip_incompatible = true"
            )
        found.append(
            Trial(dataset, model, loss, seed, suite.training, suite.protocol, suite.resources)
        )
    if not found:
        raise BenchError(f"suite '{suite.name}': no dataset, model and loss of it fit together")
    return found
