"""Mappings from the names of weights in other projects to those of bench, one module per family."""

from __future__ import annotations

from bench.core.errors import BenchError, did_you_mean
from bench.recognizers.networks.mappings import abinet, bench_weights, crnn, cslr, htr, vgg, vitstr
from bench.recognizers.networks.mappings.mapping import WeightMapping

MAPPINGS: dict[str, WeightMapping] = {
    mapping.name: mapping
    for family in (bench_weights, vgg, crnn, vitstr, abinet, cslr, htr)
    for mapping in family.MAPPINGS
}
"""All mappings by name."""


def find_mapping(name: str) -> WeightMapping:
    """Return the mapping called `name`.

    Raises:
        BenchError: There is no such mapping; the message has the nearest name.
    """
    if name not in MAPPINGS:
        raise BenchError(f"there is no mapping '{name}'{did_you_mean(name, MAPPINGS)}")
    return MAPPINGS[name]
