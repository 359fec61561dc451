"""Profiles to the speed columns of a board: all latencies of one column on one hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import UNSET, UnsetType

from bench.profiling.method import BATCH_SIZES, profile_covers

if TYPE_CHECKING:
    from bench.trials.records import Profile
    from bench.trials.specs import Evaluation

Place = TypeVar("Place")
THROUGHPUT = "samples/s"


@dataclass(frozen=True)
class Speed:
    """What reading one test set costs a row.

    Attributes:
        profile: The key of the profile; None where there is none on the board's hardware.
        macs: Multiply-accumulates of a forward pass of one sample; None where they are unknown.
        milliseconds: The median latency from inputs to labels, by batch size; None where it was
            not measured on the board's hardware, or is not valid.
        reasons: Why a latency is not valid, by batch size; why a throughput is not, by `samples/s`.
        samples_per_second: The valid throughput at the smallest batch that fills the GPU. This and
            what follows is left out where it was not measured, as on a CPU.
        filling_batch: The size of that batch.
        memory: The most bytes that tensors took on the GPU at once, by batch size.
    """

    profile: str | None
    macs: int | None
    milliseconds: dict[str, float | None]
    reasons: dict[str, str]
    samples_per_second: float | UnsetType = UNSET
    filling_batch: int | UnsetType = UNSET
    memory: dict[str, int] | UnsetType = UNSET

    @property
    def valid(self) -> bool:
        """Whether it has a latency of every batch size."""
        return None not in self.milliseconds.values()

    @property
    def figures(self) -> dict[str, float | None]:
        """The latencies by batch size, and the throughput where there is one."""
        rate = self.samples_per_second
        return self.milliseconds | ({} if rate is UNSET else {THROUGHPUT: rate})


@dataclass(frozen=True)
class Speeds(Generic[Place]):
    """The speeds of a board.

    Attributes:
        hardware: What all latencies are measured on.
        others: What else was profiled.
        speeds: The speed at each place of the board that has one.
    """

    hardware: str | None
    others: list[str]
    speeds: dict[Place, Speed]


def speeds(evaluations: Mapping[Place, Evaluation], profiles: Sequence[Profile]) -> Speeds[Place]:
    """Choose the hardware with most valid profiles, of equals the first by name, and show that.

    MACs are the same on all hardware, so what was profiled elsewhere only still has them.

    Args:
        evaluations: An evaluation of any seed for each place: a row and a column.
        profiles: The profiles at hand.
    """
    by_place = {
        place: _by_hardware(
            profile
            for profile in profiles
            if profile_covers(
                profile,
                evaluation.spec,
                evaluation.training.spec if evaluation.training else None,
            )
        )
        for place, evaluation in evaluations.items()
    }
    names = sorted({name for row in by_place.values() for name in row})
    valid = Counter(
        name for row in by_place.values() for name, profile in row.items() if _any_valid(profile)
    )
    hardware = min(names, key=lambda name: -valid[name], default=None)
    return Speeds(
        hardware=hardware,
        others=[name for name in names if name != hardware],
        speeds={place: _speed(row, hardware) for place, row in by_place.items() if row},
    )


def _by_hardware(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Return the last profile of each hardware, by name."""
    ordered = sorted(profiles, key=lambda profile: (profile.provenance.finished, profile.key))
    return {profile.hardware: profile for profile in ordered}


def _any_valid(profile: Profile) -> bool:
    return any(latency.valid for latency in profile.latencies if latency.decoded)


def _speed(profiles: Mapping[str, Profile], hardware: str | None) -> Speed:
    chosen = profiles.get(hardware or "")
    latencies = [each for each in chosen.latencies if each.decoded] if chosen else []
    shown = {latency.batch: latency.p50 for latency in latencies if latency.valid}
    reasons = {str(each.batch): each.reason for each in latencies if not each.valid}
    full = chosen.throughput if chosen else None
    if full and not full.valid:
        reasons[THROUGHPUT] = full.reason
    peaks = {str(each.batch): each.peak_memory for each in latencies}
    memory = {batch: peak for batch, peak in peaks.items() if peak is not None}
    return Speed(
        profile=chosen.key if chosen else None,
        macs=(chosen or profiles[min(profiles)]).macs,
        milliseconds={str(batch): shown.get(batch) for batch in BATCH_SIZES},
        reasons=reasons,
        samples_per_second=full.samples_per_second if full and full.valid else UNSET,
        filling_batch=full.batch if full and full.valid else UNSET,
        memory=memory or UNSET,
    )
