"""The options that select trials of a suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.cli.completion import complete_component, complete_dataset
from bench.cli.terminal import say
from bench.trials.selection import Selection

if TYPE_CHECKING:
    from bench.config.suite import Suite

Command = TypeVar("Command", bound=Callable[..., Any])
_MAX_SEEDS = 100_000
_MAX_SEED_DIGITS = 1000
_AD_HOC = (
    " A match that SUITE does not list runs with its default parameters and is left off the board."
)


_DECODER_OPTION = click.option(
    "--decoder",
    "decoders",
    multiple=True,
    shell_complete=complete_component("decoder"),
    metavar="GLOB",
    help="Run only decoders that match this glob.",
)


_RECOGNIZER_OPTION = click.option(
    "-r",
    "--recognizer",
    "recognizers",
    multiple=True,
    shell_complete=complete_component("recognizer"),
    metavar="GLOB",
    help="Run only recognizers from outside bench that match this glob.",
)


class Seeds(click.ParamType["frozenset[int]"]):
    """The click type of numbers and ranges: `0,2-4`."""

    name = "seeds"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[int]:
        """Return the numbers, those of ranges included."""
        seeds: set[int] = set()
        for part in value.split(","):
            first, dash, last = part.strip().partition("-")
            words = (first, last) if dash else (first,)
            if not all(word.isdecimal() and len(word) <= _MAX_SEED_DIGITS for word in words):
                self.fail(f"'{value}' is not a list of seeds like 0,2-4", param, ctx)
            low, high = int(first), int(last or first)
            if not 0 <= high - low < _MAX_SEEDS:
                fault = f"'{part}' must rise from one seed to another, over fewer than {_MAX_SEEDS}"
                self.fail(fault, param, ctx)
            seeds.update(range(low, high + 1))
        return frozenset(seeds)


def say_unavailable(suite: Suite, selection: Selection | None = None) -> list[str]:
    """Print and return why selected recognizers, by default all, cannot be used here."""
    reasons = (selection or Selection()).unavailable(suite)
    for reason in reasons:
        say(f"left out: {reason}", fg="yellow")
    return reasons


def selection_options(command: Command, *, decoders: bool = True) -> Command:
    """Add the options to a verb, which receives them as its argument `selection`.

    Args:
        command: The verb.
        decoders: Whether to add --decoder and --recognizer; without them, nothing is trained.
    """
    ad_hoc = _AD_HOC if decoders else " A match need not be listed in SUITE."
    options = [
        click.option(
            "-t",
            "--test",
            "tests",
            multiple=True,
            shell_complete=complete_dataset,
            metavar="GLOB",
            help="Run only test sets that match this glob.",
        ),
        click.option(
            "-m",
            "--model",
            "models",
            multiple=True,
            shell_complete=complete_component("model"),
            metavar="GLOB",
            help=f"Run only models that match this glob.{ad_hoc}",
        ),
        click.option(
            "-l",
            "--loss",
            "losses",
            multiple=True,
            shell_complete=complete_component("loss"),
            metavar="GLOB",
            help=f"Run only losses that match this glob.{ad_hoc}",
        ),
        *([_DECODER_OPTION, _RECOGNIZER_OPTION] if decoders else []),
        click.option("--seeds", type=Seeds(), help="Run only these of the suite's seeds: 0,2-4."),
        click.option(
            "--limit", type=click.IntRange(1), help="Run only the first trials of the selection."
        ),
    ]

    def with_selection(
        *args: Any,  # noqa: ANN401
        tests: tuple[str, ...],
        models: tuple[str, ...],
        losses: tuple[str, ...],
        seeds: frozenset[int] | None,
        limit: int | None,
        decoders: tuple[str, ...] = (),
        recognizers: tuple[str, ...] = (),
        **others: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        chosen = Selection(tests, models, losses, decoders, seeds, limit, recognizers)
        return command(*args, selection=chosen, **others)

    with_selection.__doc__ = command.__doc__
    with_selection.__name__ = command.__name__
    decorated: Any = with_selection
    decorated.__click_params__ = getattr(command, "__click_params__", [])
    for option in reversed(options):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
