"""The verb `verify`."""

from __future__ import annotations

import click

from bench.cli.terminal import Load, as_json_option, report, say, say_faults
from bench.core.printable import printable


@click.command()
@click.argument("records", nargs=-1)
@as_json_option
@click.pass_obj
def verify(load: Load, records: tuple[str, ...], *, as_json: bool) -> int:
    """Compute every score of RECORDS again from their predictions; of all, and of all boards.

    A record is the beginning of a training's or an evaluation's key, or its folder. Keys, folders,
    checksums and selected weights are verified too, and boards are rebuilt from their samples and
    compared with the records at hand. Each fault is named, and ends with 5.
    """
    from bench.leaderboards import verification
    from bench.trials.store import Store

    config = load()
    verified = verification.verify(
        Store(config.results), config.leaderboards, config.protocols, records
    )
    for note in verified.notes:
        say(printable(note))
    code = say_faults(verified.faults)
    report(verification.verification_text(verified), verified, as_json=as_json)
    return code
