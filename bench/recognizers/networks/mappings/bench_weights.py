"""The mapping of weights that bench has trained."""

from __future__ import annotations

from bench.recognizers.networks.mappings.mapping import WeightMapping

MAPPINGS = (
    WeightMapping(
        name="bench",
        source="a training of bench: weights.safetensors in its folder of results",
        layers={"model": "model", "head": "head"},
        model=None,
    ),
)
