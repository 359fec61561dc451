"""How busy other processes keep the machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

MAX_OTHERS = 0.1
"""The largest share of the machine's CPU time that other processes may use while bench measures."""
MIN_OWN = 0.9
"""The smallest share of one core that bench needs meanwhile."""
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Usage:
    """Seconds up to a moment.

    Attributes:
        wall: On the clock.
        own: CPU time of this process.
        everyone: CPU time of all processes, summed over the cores; None where it is unknown.
        cores: The cores of the machine.
    """

    wall: float
    own: float
    everyone: float | None
    cores: int


def usage() -> Usage:
    """Return the usage up to now."""
    return Usage(time.perf_counter(), time.process_time(), _everyone(), os.cpu_count() or 1)


def _everyone() -> float | None:
    """Return the CPU seconds of all processes since the machine started."""
    if not _STAT.exists():
        return None
    fields = _STAT.read_text(encoding="ascii").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq, *stolen = map(int, fields[:8])
    # What the hypervisor gives to its other guests is lost to bench as well.
    return (user + nice + system + irq + softirq + sum(stolen)) / os.sysconf("SC_CLK_TCK")


def disturbance(before: Usage, after: Usage) -> str:
    """Return in one clause what disturbed bench between two moments, or ""."""
    seconds = after.wall - before.wall
    own = after.own - before.own
    if before.everyone is not None and after.everyone is not None:
        others = (after.everyone - before.everyone - own) / (seconds * after.cores)
        if others > MAX_OTHERS:
            return (
                f"other processes used {others:.0%} of the machine's CPU time "
                f"(at most {MAX_OTHERS:.0%})"
            )
    if own / seconds < MIN_OWN:
        return f"bench got only {own / seconds:.0%} of a core (at least {MIN_OWN:.0%})"
    return ""
