"""Load of the machine and its GPU by other processes, and slowdowns of the GPU."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.trials.gpu import Gpu, GpuState

MAX_OTHERS = 0.1
"""The largest share of the machine's CPU time for other processes in a valid measurement."""
MIN_OWN = 0.9
"""The smallest share of one CPU core that bench must have in a valid measurement."""
MIN_OWN_OF_PROGRAMS = 0.5
"""`MIN_OWN` for recognizers that start programs, which wait for the disk and for pipes."""
MAX_CLOCK_CHANGE = 1.1
"""The largest ratio between the clocks of the GPU before and after a valid measurement."""
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Usage:
    """Time and CPU time at one moment, in seconds, with the state of the GPU.

    Attributes:
        wall: The wall-clock time.
        own: CPU time of this process and of its finished child processes, such as the programs of
            a recognizer.
        everyone: CPU time of all processes, summed over cores; None if unknown.
        cores: The number of CPU cores of the machine.
        gpu: The state of the measured GPU; None without a GPU, or if its driver does not report it.
    """

    wall: float
    own: float
    everyone: float | None
    cores: int
    gpu: GpuState | None = None


def read_usage(gpu: Gpu | None = None) -> Usage:
    """Return the usage at this moment, with the state of the measured GPU."""
    return Usage(
        wall=time.perf_counter(),
        own=time.process_time() + _finished_children(),
        everyone=_everyone(),
        cores=os.cpu_count() or 1,
        gpu=gpu.state() if gpu else None,
    )


def _finished_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _everyone() -> float | None:
    """Return the CPU seconds of all processes since the machine started."""
    if not _STAT.exists():
        return None
    fields = _STAT.read_text(encoding="ascii").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq, *stolen = map(int, fields[:8])
    # Stolen time is what the hypervisor gives to other guests; bench does not get it either.
    return (user + nice + system + irq + softirq + sum(stolen)) / os.sysconf("SC_CLK_TCK")


def describe_disturbance(before: Usage, after: Usage, min_own: float = MIN_OWN) -> str:
    """Return the disturbances of a measurement as clauses, or "" if there were none.

    Args:
        before: The usage before the measurement.
        after: The usage after it.
        min_own: The smallest share of one CPU core that bench must have.
    """
    clauses = [_host_disturbance(before, after, min_own)]
    if before.gpu and after.gpu:
        clauses += _gpu_disturbances(before.gpu, after.gpu)
    return ", and ".join(filter(None, clauses))


def _host_disturbance(before: Usage, after: Usage, min_own: float) -> str:
    seconds = after.wall - before.wall
    own = after.own - before.own
    if before.everyone is not None and after.everyone is not None:
        others = (after.everyone - before.everyone - own) / (seconds * after.cores)
        if others > MAX_OTHERS:
            return (
                f"other processes used {others:.0%} of the machine's CPU time "
                f"(at most {MAX_OTHERS:.0%})"
            )
    if own / seconds < min_own:
        return f"bench got only {own / seconds:.0%} of a core (at least {min_own:.0%})"
    return ""


def _gpu_disturbances(before: GpuState, after: GpuState) -> list[str]:
    clauses = []
    if others := max(before.others or 0, after.others or 0):
        noun = "process" if others == 1 else "processes"
        clauses.append(f"{others} other {noun} had the GPU open (at most 0)")
    if slowdowns := list(dict.fromkeys([*before.slowdowns, *after.slowdowns])):
        clauses.append(f"the GPU was slowed down ({', '.join(slowdowns)})")
    if before.clock and after.clock:
        slow, fast = sorted((before.clock, after.clock))
        if fast > MAX_CLOCK_CHANGE * slow:
            clauses.append(
                f"the GPU's clock went from {before.clock} to {after.clock} MHz "
                f"(at most a factor of {MAX_CLOCK_CHANGE})"
            )
    return clauses
