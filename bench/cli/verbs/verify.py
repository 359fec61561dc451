"""The verb `verify`: compute scores again, and check records and boards."""

from __future__ import annotations

import click

from bench.cli.terminal import Load, as_json_option, report, say, say_faults
from bench.core.printable import printable


@click.command()
@click.argument("records", nargs=-1)
@as_json_option
@click.pass_obj
def verify(load: Load, records: tuple[str, ...], *, as_json: bool) -> int:
    """Compute the scores of RECORDS again from their predictions, and check keys and checksums.

    Each of RECORDS is the beginning of the key of a training or evaluation, or its folder. Without
    any, all records are verified, and all boards: these are computed again from their samples and
    compared with the records. Each fault is reported, and the exit code is then 5.
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
