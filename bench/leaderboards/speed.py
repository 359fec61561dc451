"""Profiles to the speed columns of a board: all latencies of one column on one hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.profiling.method import BATCHES, covers

if TYPE_CHECKING:
    from bench.trials.store import Profile

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Speed:
    """What one row costs.

    `milliseconds` are the median latencies from inputs to labels, by batch size; None where there
    is none on the board's hardware, or none that is valid. `reasons` say why those are invalid.
    """

    macs: int
    milliseconds: dict[str, float | None]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Speeds:
    """The speeds of a board's rows by their labels, all latencies of `hardware`."""

    hardware: str | None
    others: list[str]
    rows: dict[Labels, Speed]


def speeds(specs: Mapping[Labels, dict[str, Any]], profiles: Sequence[Profile]) -> Speeds:
    """Choose the hardware with most valid rows, of equals the first by name, and show that alone.

    `specs` holds a trial's spec for each row. MACs are the same on all hardware, so a row that was
    profiled elsewhere only still has them.
    """
    found = {
        labels: _by_hardware(profile for profile in profiles if covers(profile, spec))
        for labels, spec in specs.items()
    }
    ranked = sorted({name for row in found.values() for name in row})
    valid = Counter(
        name for row in found.values() for name, profile in row.items() if _some(profile)
    )
    hardware = min(ranked, key=lambda name: -valid[name], default=None)
    return Speeds(
        hardware=hardware,
        others=[name for name in ranked if name != hardware],
        rows={labels: _speed(row, hardware) for labels, row in found.items() if row},
    )


def _by_hardware(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Return the last profile of each hardware, by name."""
    ordered = sorted(profiles, key=lambda profile: (profile.provenance.finished, profile.key))
    return {profile.hardware: profile for profile in ordered}


def _some(profile: Profile) -> bool:
    return any(figure.valid for figure in profile.figures if figure.decoded)


def _speed(row: Mapping[str, Profile], hardware: str | None) -> Speed:
    chosen = row.get(hardware or "")
    figures = [figure for figure in chosen.figures if figure.decoded] if chosen else []
    shown = {figure.batch: figure.p50 for figure in figures if figure.valid}
    return Speed(
        macs=(chosen or row[min(row)]).macs,
        milliseconds={str(batch): shown.get(batch) for batch in BATCHES},
        reasons={str(figure.batch): figure.reason for figure in figures if not figure.valid},
    )
