"""The verb `show`: one training or evaluation as text, or pictures of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bench import diagnostics
from bench.cli.path_option import LOCAL_PATH
from bench.cli.render import record_text
from bench.cli.terminal import Load, as_json_option, print_json, report, say_faults
from bench.core.errors import Exit
from bench.core.printable import printable
from bench.core.text_table import Table, Text
from bench.trials.records import EvaluationRecord, Failure
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.trials.records import TrainingRecord

Command = TypeVar("Command", bound=Callable[..., int])
_SAMPLED = " and ".join(f"--{name}" for name in diagnostics.SAMPLED)


def _picture_options(command: Command) -> Command:
    for name, about in reversed(diagnostics.PICTURES.items()):
        command = click.option(f"--{name}", is_flag=True, help=about)(command)
    return command


@click.command()
@click.argument("key")
@_picture_options
@click.option(
    "--sample",
    "samples",
    multiple=True,
    help=f"With {_SAMPLED}: the id of a sample; may be repeated.",
)
@click.option(
    "--out",
    type=LOCAL_PATH,
    help="The folder for pictures. [default: figures in the folder of KEY]",
)
@as_json_option
@click.pass_obj
def show(
    load: Load,
    /,
    key: str,
    samples: tuple[str, ...],
    out: Path | None,
    *,
    as_json: bool,
    **drawn: bool,
) -> int:
    """Show the record of a training or an evaluation, or draw pictures of it.

    KEY is the beginning of its key (`bench status` lists keys), or its folder. A training has its
    learning curve, cost and evaluations; an evaluation its scores, worst samples and latencies.

    Examples:
      bench show 3f2a
      bench show 3f2a --alignment --worst
    """
    pictures = [name for name, is_drawn in drawn.items() if is_drawn]
    if (out and not pictures) or (samples and not {*pictures} & {*diagnostics.SAMPLED}):
        raise click.UsageError(
            f"--sample requires {_SAMPLED}; --out requires an option of a picture"
        )
    store = Store(load().results)
    if pictures:
        _draw(store, key, pictures, samples, out, as_json=as_json)
        return Exit.DONE
    folder, document = store.find(key)
    faults: list[str] = []
    text: Text
    if isinstance(document, Failure):
        text = record_text.failure(document, folder)
    elif isinstance(document, EvaluationRecord):
        text = _evaluation(store, document, folder)
    else:
        text = _training(store, document, folder, faults)
    report(text, document, as_json=as_json)
    return say_faults(faults)


def _evaluation(store: Store, record: EvaluationRecord, folder: Path) -> list[str | Table]:
    """Return the text of an evaluation, with its training and its profiles."""
    from bench.evaluation import predictions, protocols
    from bench.profiling import method
    from bench.trials.store import predictions_of

    training = store.training(record.training)[1] if record.training else None
    protocol = protocols.protocol_from_spec(record.spec["protocol"], record.spec["metrics"])
    table = predictions_of(folder, record)
    covering = [
        profile
        for profile in store.profiles()
        if method.profile_covers(profile, record.spec, training.spec if training else None)
    ]
    return record_text.evaluation(
        record,
        training,
        folder,
        predictions.worst_samples(table, protocol, count=5),
        predictions.label_localization(table, protocol),
        covering,
    )


def _training(
    store: Store, record: TrainingRecord, folder: Path, faults: list[str]
) -> list[str | Table]:
    """Return the text of a training, with the evaluations that use it."""
    users = [each for _, each in store.evaluations(faults) if each.training == record.key]
    return record_text.training(record, folder, users)


def _draw(
    store: Store,
    key: str,
    pictures: Sequence[str],
    samples: Sequence[str],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    written = []
    for file in diagnostics.draw_pictures(store, key, pictures, samples, out):
        written.append(str(file))
        click.echo(printable(str(file)), err=as_json)
    if as_json:
        print_json(written)
