"""The verb `verify`."""

from __future__ import annotations

import click

from bench.cli.terminal import EXITS, Load, as_json_option, report, say
from bench.core.errors import Exit


@click.command(epilog=EXITS)
@click.argument("records", nargs=-1)
@as_json_option
@click.pass_obj
def verify(load: Load, records: tuple[str, ...], *, as_json: bool) -> int:
    """Compute every score of RECORDS again from their predictions; of all, and of all boards.

    A record is the beginning of a trial's key, or its folder. Schema, key and checksums are held
    against the files as well, and boards against their samples and the records at hand.
    """
    from bench.leaderboards import verification
    from bench.trials.store import Store

    config = load()
    found = verification.verify(Store(config.results), config.leaderboards, records)
    for fault in found.faults:
        say(fault, fg="red")
    report(verification.text(found), found, as_json=as_json)
    return Exit.UNVERIFIED if found.faults else Exit.DONE
