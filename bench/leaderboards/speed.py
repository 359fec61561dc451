"""Choose the latencies of a board from profiles; all are of the same hardware."""

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

Cell = TypeVar("Cell")
THROUGHPUT = "samples/s"


@dataclass(frozen=True)
class Speed:
    """The cost of reading one test set with one row.

    Attributes:
        profile: Key of the profile; None if there is none on the board's hardware.
        macs: Multiply-accumulates of a forward pass of one sample; None if unknown.
        milliseconds: Median latency from inputs to labels, by batch size; None if it was not
            measured on the board's hardware, or is not valid.
        reasons: Why a latency is not valid, by batch size; why a throughput is not, by `samples/s`.
        samples_per_second: The valid throughput at the smallest batch that fills the GPU. This and
            the next two are left out if they were not measured, as on a CPU.
        filling_batch: The size of that batch.
        memory: Peak memory of tensors on the GPU in bytes, by batch size.
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
        """Whether there is a valid latency of every batch size."""
        return None not in self.milliseconds.values()

    @property
    def figures(self) -> dict[str, float | None]:
        """The latencies by batch size, and the throughput if there is one."""
        rate = self.samples_per_second
        return self.milliseconds | ({} if rate is UNSET else {THROUGHPUT: rate})


@dataclass(frozen=True)
class BoardSpeeds(Generic[Cell]):
    """The speeds of a board.

    Attributes:
        hardware: The hardware of all latencies; None without a profile.
        others: Other profiled hardware.
        speeds: The speed of each row and column that has a profile.
    """

    hardware: str | None
    others: list[str]
    speeds: dict[Cell, Speed]


def board_speeds(
    evaluations: Mapping[Cell, Evaluation], profiles: Sequence[Profile]
) -> BoardSpeeds[Cell]:
    """Return the speeds on the hardware with most valid profiles, the first by name if they tie.

    MACs do not depend on the hardware, so a cell that was profiled only on other hardware has them.

    Args:
        evaluations: An evaluation of any seed for each cell (row and column) of the board.
        profiles: All profiles.
    """
    by_cell = {
        cell: _by_hardware(
            profile
            for profile in profiles
            if profile_covers(
                profile,
                evaluation.spec,
                evaluation.training.spec if evaluation.training else None,
            )
        )
        for cell, evaluation in evaluations.items()
    }
    names = sorted({name for row in by_cell.values() for name in row})
    valid = Counter(
        name for row in by_cell.values() for name, profile in row.items() if _any_valid(profile)
    )
    hardware = min(names, key=lambda name: -valid[name], default=None)
    return BoardSpeeds(
        hardware=hardware,
        others=[name for name in names if name != hardware],
        speeds={cell: _cell_speed(row, hardware) for cell, row in by_cell.items() if row},
    )


def _by_hardware(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Return the latest profile of each hardware, by its name."""
    ordered = sorted(profiles, key=lambda profile: (profile.provenance.finished, profile.key))
    return {profile.hardware: profile for profile in ordered}


def _any_valid(profile: Profile) -> bool:
    return any(latency.valid for latency in profile.latencies if latency.decoded)


def _cell_speed(profiles: Mapping[str, Profile], hardware: str | None) -> Speed:
    chosen = profiles.get(hardware or "")
    latencies = [each for each in chosen.latencies if each.decoded] if chosen else []
    valid = {latency.batch: latency.p50 for latency in latencies if latency.valid}
    reasons = {str(each.batch): each.reason for each in latencies if not each.valid}
    full = chosen.throughput if chosen else None
    if full and not full.valid:
        reasons[THROUGHPUT] = full.reason
    peaks = {str(each.batch): each.peak_memory for each in latencies}
    memory = {batch: peak for batch, peak in peaks.items() if peak is not None}
    return Speed(
        profile=chosen.key if chosen else None,
        macs=(chosen or profiles[min(profiles)]).macs,
        milliseconds={str(batch): valid.get(batch) for batch in BATCH_SIZES},
        reasons=reasons,
        samples_per_second=full.samples_per_second if full and full.valid else UNSET,
        filling_batch=full.batch if full and full.valid else UNSET,
        memory=memory or UNSET,
    )
