"""The verb `compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.cli.terminal import Load, as_json_option, report, say_faults
from bench.core.errors import Exit

if TYPE_CHECKING:
    from typing import Literal


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--fail-on",
    type=click.Choice(["regress"]),
    help="End with 4 where B is worse than A by any metric.",
)
@as_json_option
@click.pass_obj
def compare(
    load: Load, a: str, b: str, *, fail_on: Literal["regress"] | None, as_json: bool
) -> int:
    """Say which of A and B is better on the same samples, and how sure that is.

    Each is an evaluation or a training (the beginning of its key, or its folder; a training stands
    for all of its evaluations), a row of a board by its place (`quick#1`, `quick/v1#4`), or a board
    (`quick`, `quick/v1`): then every row that both have. `quick` is the working board, or where
    there is none the latest published one.
    """
    from bench.leaderboards import comparison
    from bench.trials.store import Store

    config = load()
    faults: list[str] = []
    compared = comparison.compare_named(a, b, Store(config.results), config.leaderboards, faults)
    report(comparison.comparison_blocks(compared), compared, as_json=as_json)
    regressed = any(each.regressed for each in compared)
    code = say_faults(dict.fromkeys(faults))
    return Exit.REGRESSED if fail_on and regressed else code
