"""The verb `compare`: two results on the same samples."""

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
    help="End with exit code 4 if B is significantly worse than A by any metric.",
)
@as_json_option
@click.pass_obj
def compare(
    load: Load, a: str, b: str, *, fail_on: Literal["regress"] | None, as_json: bool
) -> int:
    """Compare A and B on the same samples: the difference, its interval and its p-value.

    A and B are both one of these:
      an evaluation or a training   the beginning of its key, or its folder
      a row of a board              quick#1, quick/v1#4
      a board                       quick, quick/v1

    A training stands for all of its evaluations. Of two boards, each row that both have is
    compared. `quick` is the working board, or the latest published one if there is none.

    Examples:
      bench compare quick#1 quick#2
      bench compare quick/v1 quick --fail-on regress
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
