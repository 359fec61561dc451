"""A campaign of faults against bench: `nox -s chaos`, or `python tests/chaos/campaign.py --seed N`.

After each fault: everything that was finished is there, `bench verify` finds no fault, the rest
runs to the bits of an undisturbed run, and neither a process nor shared memory is left.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from faults import FAULTS, INLINE, Fault, NotPossibleError, kill
from workspace import BrokenPromiseError, Workspace, require, shared_memory

_MIN_KILLS = 10
"""Of a whole campaign that is worth its name."""


def main() -> int:
    """Run the campaign; return 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="what all random moments follow from")
    parser.add_argument("--only", default="", help="faults whose names have this in them")
    parser.add_argument("--minutes", type=float, default=20.0, help="begin no fault after these")
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if options.only in fault.name]
    if not faults:
        parser.error(f"no fault has '{options.only}' in its name")
    ends = time.monotonic() + 60 * options.minutes
    totals: Counter[str] = Counter()
    broken = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as root:
        reference = _reference(Path(root) / "reference")
        for fault in faults:
            for number in range(fault.times):
                if time.monotonic() > ends:
                    totals["not run: out of time"] += 1
                    continue
                broken += _one(Path(root), fault, options.seed, number, reference, totals)
    if not options.only and totals["kills"] < _MIN_KILLS:
        broken.append(f"only {totals['kills']} processes were killed: the moments are badly chosen")
        print(broken[-1])
    print(f"seed {options.seed}: " + ", ".join(f"{n} {what}" for what, n in totals.items()))
    return 1 if broken else 0


def _reference(folder: Path) -> dict[str, Any]:
    """Return what an undisturbed run leaves."""
    work = Workspace.make(folder)
    work.call(*INLINE)
    return work.finished()


def _one(
    root: Path,
    fault: Fault,
    seed: int,
    number: int,
    reference: dict[str, Any],
    totals: Counter[str],
) -> list[str]:
    """Disturb a new workspace, require what was promised, and return what did not hold."""
    chance = random.Random(zlib.crc32(f"{fault.name} {seed} {number}".encode()))
    work = Workspace.make(root / f"{fault.name.replace(' ', '-')}-{number}")
    began, broken = time.monotonic(), []
    memory = shared_memory()
    try:
        fault.disturb(work, chance)
        kept = fault.resume(work, reference)
        work.require_no_processes()
        left = shared_memory() - memory
        require(not left, f"shared memory is left: {left}")
    except NotPossibleError as reason:
        totals["not possible here"] += 1
        print(f"not run  {fault.name}: {reason}", flush=True)
        return []
    except (BrokenPromiseError, OSError, subprocess.SubprocessError) as error:
        totals["broken"] += 1
        broken = [str(error)]
        # What is left of this case would disturb the next one.
        for pid in work.processes():
            kill(pid)
    else:
        totals["records kept"] += kept
    totals["cases"] += 1
    totals.update(work.counts)
    state = "BROKEN " if broken else "held   "
    print(f"{state}  {fault.name} {number} ({time.monotonic() - began:.0f} s)", flush=True)
    for each in broken:
        print(each, flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main())
