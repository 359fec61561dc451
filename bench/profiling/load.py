"""How busy the machine is with anything but bench."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

MOST_OTHERS = 0.1
"""Share of the machine's CPU time that other processes may use while bench measures."""
LEAST_OWN = 0.9
"""Share of one core that bench has to be given meanwhile."""
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Usage:
    """Seconds so far: on the clock, and of CPU time by bench (`own`) and by the whole machine.

    `everyone` is summed over `cores`; None where the system does not tell.
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
    """Say in one clause what kept bench from the machine's quiet between two moments, or ''."""
    seconds = after.wall - before.wall
    own = after.own - before.own
    if before.everyone is not None and after.everyone is not None:
        others = (after.everyone - before.everyone - own) / (seconds * after.cores)
        if others > MOST_OTHERS:
            return (
                f"other processes used {others:.0%} of the machine's CPU time "
                f"(at most {MOST_OTHERS:.0%})"
            )
    if own / seconds < LEAST_OWN:
        return f"bench got only {own / seconds:.0%} of a core (at least {LEAST_OWN:.0%})"
    return ""
