"""The verb `data check`: faults in the samples, labels and splits of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import click

from bench.cli.completion import complete_component
from bench.cli.render.split_bars import split_bars
from bench.cli.terminal import Load, as_json_option, report
from bench.cli.verbs.dataset_argument import dataset_argument, find_dataset
from bench.core.errors import BenchError, Exit
from bench.core.text_table import Styled, Table

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core.components import Dataset, Loss, Model
    from bench.data.inspection.check import Finding
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.evaluation.protocols import Protocol


@click.command()
@dataset_argument
@click.option(
    "-m",
    "--model",
    shell_complete=complete_component("model"),
    help="Also check that targets are not longer than the output of this model.",
)
@click.option(
    "-l",
    "--loss",
    default="ctc",
    show_default=True,
    shell_complete=complete_component("loss"),
    help="With --model: the loss, which decides how long the output has to be.",
)
@click.option(
    "--protocol",
    metavar="PROTOCOL",
    help="Count the characters that this protocol drops. [default: that of the data set's card]",
)
@click.option(
    "--alphabet",
    metavar="PROTOCOL",
    help="Count the characters of labels that are not in this protocol. [default: not in the data "
    "set's own alphabet]",
)
@as_json_option
@click.pass_obj
def check(
    load: Load,
    name: str,
    model: str | None,
    loss: str,
    protocol: str | None,
    alphabet: str | None,
    *,
    as_json: bool,
) -> int:
    """Check a data set: broken images, labels, leaks between splits, counts.

    If a check fails, the exit code is 5. Notes are printed too, and do not change the exit code.
    """
    from bench.core import registry
    from bench.core.components import incompatibility

    config = load()
    dataset = find_dataset(config, name)
    architecture = cast("Model", registry.make("model", model, {})) if model else None
    objective = cast("Loss", registry.make("loss", loss, {}))
    if architecture and (fault := incompatibility(dataset, architecture, objective)):
        raise BenchError(f"{fault}; name another with -m or -l")
    scored = _protocol(config, dataset, protocol)
    letters = config.protocol(alphabet) if alphabet else None
    # Imports torch, so wrong names are reported before.
    from bench.data.inspection.check import check_dataset

    encoder = dataset.label_encoder(letters)
    with split_bars() as advance:
        findings = list(check_dataset(dataset, encoder, scored, advance))
    if architecture:
        findings += _infeasible(dataset, architecture, objective, encoder)
    rows = [
        (
            each.split,
            each.check,
            Styled(each.verdict, "failed") if each.verdict == "failed" else each.verdict,
            each.found,
        )
        for each in findings
    ]
    table = Table(("split", "check", "verdict", "found"), rows)
    report(table, findings, as_json=as_json)
    failed = any(each.verdict == "failed" for each in findings)
    return Exit.UNVERIFIED if failed else Exit.DONE


def _protocol(config: Config, dataset: Dataset, name: str | None) -> Protocol | None:
    """Return the protocol of a name, else that of the data set's card, where it has one."""
    from bench.data import cards

    if name is None:
        card = cards.find_card(dataset.name)
        name = card.protocol if card else None
    return config.protocol(name) if name else None


def _infeasible(
    dataset: Dataset, model: Model, loss: Loss, encoder: LabelEncoder
) -> Iterator[Finding]:
    """Yield the samples of each split whose targets are longer than the output of a network."""
    from bench.data.inspection.check import Finding, name_samples
    from bench.training.feasibility import infeasible_targets

    for split, names in infeasible_targets(dataset, model, loss, encoder).items():
        text = f"{name_samples(names)} (model {model.label}, loss {loss.label})"
        yield Finding(split, "target longer than output", text, "failed" if names else "ok")
