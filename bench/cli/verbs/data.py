"""The verbs of datasets: data prepare, verify, check, show, synth."""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from bench.cli.terminal import EXITS, Load, as_json_option, report, say
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.core.components import Dataset, Loss, Model
    from bench.core.types import Split
    from bench.data.datasets.base import PreparedDataset

name_argument = click.argument("name")
_FILE = click.Path(path_type=Path)
_TELL_SECONDS = 0.1


class Shape(click.ParamType["tuple[int, int, int]"]):
    """Height and width in pixels, with 3 channels before them for colour: `32x100`, `3x32x128`."""

    name = "shape"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int]:
        """Return channels, height and width."""
        found = re.fullmatch(r"(?:([13])x)?([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if not found:
            self.fail(f"'{value}' is no shape like 32x100 or 3x32x128", param, ctx)
        return int(found[1] or 1), int(found[2]), int(found[3])


@click.group(epilog=EXITS)
def data() -> None:
    """Get datasets in: prepare, verify, check and show them, or make stand-ins.

    `bench ls datasets` lists what there is. Prepared data lie in `data` beside bench.toml, or where
    `bench --data` says; docs/datasets.md tells how to get each.
    """


@data.command(epilog=EXITS)
@name_argument
@click.option("--source", type=_FILE, help="The folder, tar or zip of the distribution.")
@click.option("--decoded", type=Shape(), help="Also keep words decoded at a shape, like 32x100.")
@click.option("--force", is_flag=True, help="Begin anew, where something is prepared already.")
@click.pass_obj
def prepare(
    load: Load,
    name: str,
    source: Path | None,
    decoded: tuple[int, int, int] | None,
    *,
    force: bool,
) -> None:
    """Read the distribution of dataset NAME into LMDBs.

    Killed at any moment, the same command goes on. A stand-in that `bench data synth` made is told
    by its mark, and prepared beside the real data as NAME-synthetic.
    """
    from bench.core.types import InputShape
    from bench.data.datasets.scene_text import SceneText

    load()
    dataset = _prepared(name)
    if decoded and not isinstance(dataset, SceneText):
        raise BenchError(f"'{name}' has no words: --decoded is for datasets of scene text")
    if force and source is None:
        raise BenchError("--force begins anew from a distribution; name it with --source")
    if source is not None:
        dataset = _read_in(name, source, force=force)
    _tell(dataset)
    if decoded:
        from bench.data.store import caching

        with _bars() as advance:
            caching.keep(dataset.prepared_name, InputShape(*decoded), advance)


def _read_in(name: str, source: Path, *, force: bool) -> PreparedDataset:
    """Prepare what `source` holds of a dataset, unless something is prepared already."""
    from bench import synthetic
    from bench.data.raw.archives import unpacked
    from bench.data.store import data_dir as home
    from bench.data.store import prepared

    with unpacked(source, home.folder()) as folder:
        dataset = _prepared(name, synthetic=synthetic.is_marked(folder))
        if force:
            _clear(dataset, folder)
        elif prepared.read(dataset.folder):
            say(f"{dataset.prepared_name} is prepared already; --force begins anew")
            return dataset
        with _bars() as advance:
            dataset.prepare(folder, advance)
    return dataset


def _clear(dataset: PreparedDataset, source: Path) -> None:
    """Remove what is prepared of a dataset, unless `source` is none of it, a BenchError."""
    from bench.data.datasets.base import StoredDataset

    # What is no stored dataset is written over, once its source was found to be whole.
    if isinstance(dataset, StoredDataset):
        dataset.layout(source)
        shutil.rmtree(dataset.folder, ignore_errors=True)


def _tell(dataset: PreparedDataset) -> None:
    """Say what is prepared of a dataset. Raises BenchError with what to do where nothing is."""
    from bench.data.store import prepared

    for part, document in prepared.require(dataset.prepared_name).parts.items():
        left = sum(document.rejected.values())
        where = dataset.folder / part / prepared.REJECTED
        told = f"; {left:,} left out, which {where} names" if left else ""
        click.echo(f"{dataset.prepared_name}/{part}: {document.samples:,} samples{told}")


@data.command(epilog=EXITS)
@name_argument
@click.pass_obj
def verify(load: Load, name: str) -> int:
    """Read every sample of prepared data NAME again, against what was noted of it."""
    load()
    with _bars() as advance:
        faults = _prepared(name).verify(advance)
    for fault in faults:
        say(fault, fg="red")
    click.echo(f"{name}: {f'faults: {len(faults)}' if faults else 'as it was prepared'}")
    return Exit.UNVERIFIED if faults else Exit.DONE


@data.command(epilog=EXITS)
@name_argument
@click.option("-m", "--model", help="Check that targets fit in what this model makes of inputs.")
@click.option("-l", "--loss", default="ctc", show_default=True, help="Under this loss.")
@as_json_option
@click.pass_obj
def check(load: Load, name: str, model: str | None, loss: str, *, as_json: bool) -> int:
    """Look for what spoils a training: broken images, labels, leaks between splits, counts.

    What has failed ends with exit code 5; a note is only to be known.
    """
    from bench.cli.render import text_table
    from bench.core import registry
    from bench.core.components import incompatibility

    load()
    dataset = _dataset(name)
    reader = cast("Model", registry.make("model", model, {})) if model else None
    objective = cast("Loss", registry.make("loss", loss, {}))
    if reader and (fault := incompatibility(dataset, reader, objective)):
        raise BenchError(f"{fault}; name another with -m or -l")
    # Only now, for it imports torch: a wrong name is answered at once.
    from bench.data.inspection import check as findings

    with _bars() as advance:
        found = list(findings.findings(dataset, reader, objective, advance))
    rows = [(one.split, one.check, one.found, one.verdict) for one in found]
    report(text_table.plain(("split", "check", "found", "verdict"), rows), found, as_json=as_json)
    return Exit.UNVERIFIED if any(one.verdict == "failed" for one in found) else Exit.DONE


@data.command(epilog=EXITS)
@name_argument
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True
)
@click.option("--count", type=click.IntRange(1, 400), default=20, show_default=True)
@click.option("--out", type=_FILE, help="The picture to draw; else samples.png with the data.")
@click.pass_obj
def show(load: Load, name: str, split: Split, count: int, out: Path | None) -> None:
    """Show the card of dataset NAME: what it is, its licence, how to get it, its layout.

    Where it is prepared, some samples too, as a network is shown them, and a picture of them.
    """
    from bench.cli.render import card_text
    from bench.data import cards
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import DOCUMENT, SYNTHETIC, read

    load()
    dataset = _dataset(name)
    card = cards.find(name.removesuffix(SYNTHETIC))
    click.echo(card_text.described(card) if card else f"{dataset.name}: {dataset.summary()}")
    if isinstance(dataset, PreparedDataset) and read(dataset.folder) is None:
        click.echo(f"\nNot prepared: there is no {dataset.folder / DOCUMENT}.")
        return
    from bench.data.inspection import contact_sheet as sheets

    shown = sheets.samples(dataset.build(), split, count)
    click.echo(f"\n{sheets.listed(shown)}")
    file = (
        out or (dataset.folder if isinstance(dataset, PreparedDataset) else Path()) / "samples.png"
    )
    try:
        sheets.sheet(shown).save(file)
    except ValueError:
        raise BenchError(f"{file}: no picture ends in this; name a .png or .jpg") from None
    click.echo(f"\n{file}")


@data.command(epilog=EXITS)
@name_argument
@click.option("--count", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--out", type=_FILE, required=True, help="A new or empty folder.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def synth(name: str, count: int, out: Path, seed: int) -> None:
    """Render a stand-in for dataset NAME, in exactly its layout: to try bench, to test, to time it.

    It is marked as synthetic, and so is every trial on it.
    """
    from bench import synthetic

    with _bars() as advance:
        synthetic.generate(name, out, count, seed=seed, advance=lambda done: advance(name, done))
    click.echo(
        f"{out}: {count:,} synthetic samples; next: bench data prepare {name} --source {out}"
    )


def _dataset(name: str) -> Dataset:
    """Return the dataset of a name, or of that of prepared data, by its defaults."""
    from bench.core import registry
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    plain = name.removesuffix(SYNTHETIC)
    if plain == name or not issubclass(registry.find("dataset", plain), PreparedDataset):
        return cast("Dataset", registry.make("dataset", name, {}))
    return cast("Dataset", registry.make("dataset", plain, {"synthetic": True}))


def _prepared(name: str, *, synthetic: bool = False) -> PreparedDataset:
    """Return a dataset that has to be prepared. Raises BenchError of one that has not."""
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    found = _dataset(name.removesuffix(SYNTHETIC) + SYNTHETIC if synthetic else name)
    if not isinstance(found, PreparedDataset):
        raise BenchError(f"dataset '{name}' comes with bench: there is nothing to prepare")
    return found


@contextmanager
def _bars() -> Iterator[Callable[[str, int], None]]:
    """Show a bar a partition on stderr."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    tasks: dict[str, TaskID] = {}
    waiting, told = Counter[str](), 0.0
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), Elapsed())
    console = Console(stderr=True)
    # Where nobody watches, a bar that has gone would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:

        def tell() -> None:
            for part, done in waiting.items():
                if part not in tasks:
                    tasks[part] = progress.add_task(part, total=None)
                progress.update(tasks[part], advance=done)
            waiting.clear()

        def advance(part: str, done: int) -> None:
            nonlocal told
            waiting[part] += done
            # Telling a bar of every sample would take as long as some samples do.
            if (now := time.monotonic()) - told >= _TELL_SECONDS:
                told = now
                tell()

        yield advance
        tell()
