"""How busy other processes keep the machine and its GPU, and whether the GPU was slowed down."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.trials.gpu import Gpu, GpuState

MAX_OTHERS = 0.1
"""The largest share of the machine's CPU time that other processes may use while bench measures."""
MIN_OWN = 0.9
"""The smallest share of one core that bench needs meanwhile."""
MIN_OWN_OF_PROGRAMS = 0.5
"""The same where programs are started, which waits for the disk and for pipes."""
MAX_CLOCK_CHANGE = 1.1
"""The largest ratio of the GPU's clocks before and after the samples."""
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Usage:
    """Seconds up to a moment.

    Attributes:
        wall: On the clock.
        own: CPU time of this process and of its children that have ended, such as the programs that
            a recognizer runs.
        everyone: CPU time of all processes, summed over the cores; None where it is unknown.
        cores: The cores of the machine.
        gpu: The GPU that is measured, at that moment; None without one, or where its driver does
            not describe it.
    """

    wall: float
    own: float
    everyone: float | None
    cores: int
    gpu: GpuState | None = None


def read_usage(gpu: Gpu | None = None) -> Usage:
    """Return the usage up to now, with the state of the GPU that is measured."""
    return Usage(
        wall=time.perf_counter(),
        own=time.process_time() + _ended_children(),
        everyone=_everyone(),
        cores=os.cpu_count() or 1,
        gpu=gpu.state() if gpu else None,
    )


def _ended_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _everyone() -> float | None:
    """Return the CPU seconds of all processes since the machine started."""
    if not _STAT.exists():
        return None
    fields = _STAT.read_text(encoding="ascii").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq, *stolen = map(int, fields[:8])
    # What the hypervisor gives to its other guests is lost to bench as well.
    return (user + nice + system + irq + softirq + sum(stolen)) / os.sysconf("SC_CLK_TCK")


def describe_disturbance(before: Usage, after: Usage, min_own: float = MIN_OWN) -> str:
    """Return in one or more clauses what disturbed bench between two moments, or "".

    Args:
        before: The usage up to the first moment.
        after: The usage up to the second one.
        min_own: The smallest share of one core that bench needs meanwhile.
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
